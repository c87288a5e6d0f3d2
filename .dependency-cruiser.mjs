/**
 * Imports run one way, and never in a circle:
 *
 *   cli, testing -> ppoppo -> sign-in | request -> user | messaging -> session | vault | provider -> store -> the base
 *
 * Each layer may import what stands below it. The base is `config`, `errors`, `options`, `events` and `lib/`; of these
 * `lib/` knows none of the others. Type-only imports are free: a type has no run time.
 */

/** From top to bottom; the first pattern that fits a file is its layer. */
const LAYERS = [
  ['cli, testing', '^src/(cli|testing)/'],
  ['index', '^src/index[.]ts$'],
  ['ppoppo', '^src/(ppoppo|ready)[^/]*[.]ts$'],
  ['sign-in, user, messaging', '^src/(sign-in/(?!texts[.])|user/|messaging/|request[.]ts)'],
  ['session, vault, provider', '^src/(session|vault|provider)/'],
  ['store', '^src/store/'],
  // The page texts are a table; configuration checks the app's own texts against it.
  ['base', '^src/((config|errors|options|events)[^/]*|sign-in/texts)[.]ts$'],
  ['lib', '^src/lib/'],
]
const valueImport = { dependencyTypesNot: ['type-only'] }
const packages = { library: '^src/', sandbox: '^sandbox/src/', 'example app': '^example-app/src/' }

const downward = LAYERS.slice(1).map(([name, path], index) => ({
  name: `downward: ${name}`,
  comment: `${name} must not import what stands above it`,
  severity: 'error',
  from: { path },
  to: {
    path: LAYERS.slice(0, index + 1).map(([, above]) => above),
    ...valueImport,
  },
}))

export default {
  forbidden: [
    ...downward,
    {
      name: 'no-siblings',
      comment: 'user and messaging stand alone; sign-in and request put them together',
      severity: 'error',
      from: { path: '^src/(user|messaging)/' },
      to: { path: '^src/(sign-in/|user/|messaging/|request[.]ts)', pathNot: '^src/$1/', ...valueImport },
    },
    {
      name: 'no-circular',
      comment: 'a circle of imports',
      severity: 'error',
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    {
      name: 'no-orphans',
      comment: 'a file that nothing imports and that imports nothing',
      severity: 'error',
      from: { orphan: true, path: Object.values(packages) },
      to: {},
    },
    {
      name: 'packages-apart: library',
      comment: 'the library knows neither the sandbox nor the example app',
      severity: 'error',
      from: { path: packages.library },
      to: { path: ['^sandbox/', '^example-app/', '^ppoppo-sandbox$'] },
    },
    {
      name: 'packages-apart: sandbox',
      comment: 'the sandbox is written apart from the library, else one mistake agrees with the other',
      severity: 'error',
      from: { path: packages.sandbox },
      to: { path: ['^src/', '^dist/', '^example-app/', '^express-ppoppo'] },
    },
    {
      name: 'packages-apart: example app',
      comment: 'the example app uses what the package exports, as everybody does',
      severity: 'error',
      from: { path: packages['example app'] },
      to: { path: ['^src/', '^sandbox/', '^ppoppo-sandbox'] },
    },
    {
      name: 'no-dev-dependencies',
      comment: 'what is shipped may import dependencies and peers only (types are free)',
      severity: 'error',
      from: { path: Object.values(packages) },
      to: {
        // What the build left: our own packages, as others see them.
        pathNot: ['^dist/', '^sandbox/dist/', '^example-app/dist/'],
        dependencyTypes: ['npm-dev', 'npm-no-pkg', 'npm-unknown', 'undetermined'],
        dependencyTypesNot: ['type-only', 'npm-peer'],
      },
    },
    {
      name: 'resolvable',
      comment: 'an import that leads nowhere',
      severity: 'error',
      from: { path: Object.values(packages) },
      to: { couldNotResolve: true },
    },
    {
      name: 'grpc-on-demand',
      comment:
        'gRPC is loaded at the first call, by src/messaging/grpc.ts and src/config-packages.ts: everything else imports its types only',
      severity: 'error',
      from: { path: packages.library, pathNot: '^src/(messaging/grpc|config-packages)[.]ts$' },
      to: { path: 'node_modules/@grpc/', dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'no-tests-in-sources',
      comment: 'sources do not import tests or scripts',
      severity: 'error',
      from: { path: Object.values(packages) },
      to: { path: ['^test/', '^scripts/', '/test/'] },
    },
  ],
  options: {
    doNotFollow: { path: ['node_modules', '^dist/', '/dist/'] },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.base.json' },
    combinedDependencies: false,
    enhancedResolveOptions: { conditionNames: ['types', 'import', 'node', 'default'], exportsFields: ['exports'] },
  },
}
