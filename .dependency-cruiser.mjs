/**
 * Imports run one way, and never in a circle: each folder of the library and of the sandbox, and each file beside them,
 * stands on a line below, and knows nothing of what stands above it or beside it. Types count as much as values.
 */

/** From top to bottom, each a part of a pattern. `''` is what lies in the folder itself. */
const LAYERS = {
  'src/': [
    ['cli'],
    ['testing'],
    ['index'],
    ['ppoppo'],
    ['ppoppo-types'],
    ['instances'],
    ['sign-in', 'sockets'],
    ['request(-types)?', 'button', 'ready', 'observability', 'doctor'],
    ['user', 'login-link', 'campaigns'],
    ['session', 'http', 'messaging', 'browser'],
    ['vault', 'provider'],
    ['store'],
    ['config'],
    ['pages', 'audit-events', 'load-packages', 'ppnum'],
    ['channels'],
    ['errors'],
    ['lib'],
  ],
  'src/store/': [['redis', 'memory'], ['']],
  'src/store/redis/': [['consumer', 'campaigns'], ['']],
  'src/messaging/': [
    ['index'],
    ['messaging'],
    ['consumer'],
    ['methods', 'send-many', 'events', 'pull'],
    ['call'],
    ['descriptor'],
    ['wire', 'channel'],
    ['lib'],
    ['types'],
  ],
  'src/messaging/consumer/': [[''], ['handling'], ['term']],
  'sandbox/src/': [
    ['cli', 'index'],
    ['start-sandbox'],
    ['control'],
    ['pas', 'pcs'],
    ['pages'],
    ['state'],
    ['faults'],
    ['endpoints', 'lib'],
  ],
  'sandbox/src/pcs/': [['start-pcs'], ['pcs-control'], ['server'], ['methods'], ['state'], ['faults'], ['wire']],
}
const packages = { library: '^src/', sandbox: '^sandbox/src/', 'example app': '^example-app/src/' }

/**
 * @param {string} folder
 * @param {string} room
 */
const pathOf = (folder, room) => (room === '' ? `^${folder}[^/]+$` : `^${folder}(${room})([.]ts$|/)`)

/** @type {(folder: string, lines: readonly string[][], room: string, index: number) => readonly string[]} */
const beyond = (folder, lines, room, index) =>
  lines
    .slice(0, index + 1)
    .flat()
    .filter((other) => other !== room)
    .map((other) => pathOf(folder, other))

const layered = Object.entries(LAYERS).flatMap(([folder, lines]) => [
  ...lines.flatMap((line, index) =>
    line.map((room) => ({
      name: `downward: ${folder}${room}`,
      comment: 'must not import what stands above it or beside it',
      severity: 'error',
      from: { path: pathOf(folder, room) },
      to: { path: beyond(folder, lines, room, index) },
    })),
  ),
  {
    name: `placed: ${folder}`,
    comment: 'has no line in LAYERS',
    severity: 'error',
    from: { path: `^${folder}`, pathNot: lines.flat().map((room) => pathOf(folder, room)) },
    to: {},
  },
])

export default {
  forbidden: [
    ...layered.filter(({ to }) => !('path' in to) || to.path.length > 0),
    {
      name: 'no-circular',
      comment: 'a circle of imports; types count, too: two files that need each other are one, or need a third',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      name: 'no-orphans',
      comment: 'a file that nothing imports and that imports nothing; declarations are found by TypeScript alone',
      severity: 'error',
      from: { orphan: true, path: Object.values(packages), pathNot: '\\.d\\.ts$' },
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
        'gRPC is loaded at the first call, and OpenTelemetry if it is asked for, by src/messaging/channel/grpc.ts and src/load-packages.ts: everything else imports its types only',
      severity: 'error',
      from: { path: packages.library, pathNot: '^src/(messaging/channel/grpc|load-packages)[.]ts$' },
      to: { path: 'node_modules/@(grpc|opentelemetry)/', dependencyTypesNot: ['type-only'] },
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
