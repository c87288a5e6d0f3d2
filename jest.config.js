import { availableParallelism } from 'node:os'

/** Jest in ESM mode; openid-client 6 is ESM only. `npm test` sets the Node option it needs. */
export default {
  rootDir: '.',
  testEnvironment: 'node',
  testMatch: [
    '<rootDir>/test/**/*.test.ts',
    '<rootDir>/sandbox/test/**/*.test.ts',
    '<rootDir>/example-app/test/**/*.test.ts',
  ],
  extensionsToTreatAsEsm: ['.ts'],
  transform: {
    '^.+\\.ts$': [
      '@swc/jest',
      { jsc: { target: 'es2023', parser: { syntax: 'typescript' } }, module: { type: 'es6' } },
    ],
  },
  moduleNameMapper: {
    // Sources, so that one folder's tests run without a build.
    '^express-ppoppo$': '<rootDir>/src/index.ts',
    '^express-ppoppo/campaigns$': '<rootDir>/src/campaigns/index.ts',
    '^express-ppoppo/messaging$': '<rootDir>/src/messaging/index.ts',
    '^express-ppoppo/otel$': '<rootDir>/src/observability/otel.ts',
    '^express-ppoppo/testing$': '<rootDir>/src/testing/index.ts',
    '^ppoppo-sandbox$': '<rootDir>/sandbox/src/index.ts',
    '^(\\.{1,2}/.*)\\.js$': '$1',
  },
  modulePathIgnorePatterns: ['<rootDir>/dist/', '<rootDir>/sandbox/dist/', '<rootDir>/example-app/dist/'],
  reporters: ['default', '<rootDir>/scripts/lib/counts-reporter.mjs'],
  // Finds what hangs; a busy machine may be ten times as slow as an idle one. Few tests have a limit of their own.
  testTimeout: 240_000,
  // Most files wait (for outages, leases, browsers) more than they compute: two workers a core keep it busy.
  maxWorkers: Math.min(2 * availableParallelism(), 6),
}
