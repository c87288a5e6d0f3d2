/**
 * `npm run test:matrix [-- words]`: a sign-in, a message and a sign-out on each runtime, and with each version of the peers that the
 * library takes; its types with each TypeScript. Runtimes come as npm packages. `-- node-20` runs the lines whose name holds the
 * word; `-- --suite` also runs all tests on each Node that is asked for, some 20 minutes a Node. `-- --write` puts what was seen
 * into `docs/runtimes.md`, and leaves the lines that did not run.
 */
import { randomUUID } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { run } from './check/run.mjs'
import { build, ROOT } from './lib/build.mjs'
import { freePort } from './lib/ports.mjs'
import { runToEnd } from './lib/processes.mjs'
import { provideRedis, REDIS_ADVICE } from './lib/redis.mjs'

const SMOKE = 'scripts/matrix/smoke.mjs'
const PAGE = join(ROOT, 'docs/runtimes.md')
const TABLE = /(<!-- matrix -->\n)[\s\S]*(\n<!-- \/matrix -->)/

/**
 * @typedef {object} Line
 * @property {string} name
 * @property {string} [tool] an npm package with the program, and its version; without it the Node that runs this
 * @property {readonly string[]} [args] before the smoke program
 * @property {Record<string, string>} [env]
 */

/** @type {readonly Line[]} */
const RUNTIMES = [
  ...['20.19', '22', '24', '26'].map((version) => ({ name: `Node ${version}`, tool: `node@${version}` })),
  { name: 'Bun 1', tool: 'bun@1' },
  { name: 'Deno 2', tool: 'deno@2', args: ['run', '--allow-all', '--quiet'] },
  { name: 'Express 4', env: { EXPRESS: 'express4' } },
  { name: 'Express 5', env: { EXPRESS: 'express' } },
  { name: 'ioredis 5.4.1', env: { IOREDIS: 'ioredis5-oldest' } },
  { name: 'ioredis 5', env: { IOREDIS: 'ioredis5' } },
  { name: 'ioredis 6', env: { IOREDIS: 'ioredis' } },
]
const COMPILERS = ['5.4', '5.9', '6.0']

await runToEnd(async () => {
  const { values: asked, positionals: words } = parseArgs({
    options: { suite: { type: 'boolean', default: false }, write: { type: 'boolean', default: false } },
    allowPositionals: true,
  })
  /** @param {string} name */
  const isAsked = (name) => words.length === 0 || words.some((word) => toWord(name).includes(word))
  if (!(await build({ only: ['library', 'sandbox'] }))) return 1
  const redis = await provideRedis(process.env)
  if (redis === undefined) throw new Error(`No Redis: ${REDIS_ADVICE}.`)
  const { startSandbox } = await import('ppoppo-sandbox')
  const sandbox = await startSandbox({ pasPort: 0, pcsPort: 0, autoSignIn: 'alex' })
  const { url = '', tokenUrl = '', clientId = '', clientSecret = '' } = sandbox.pcs ?? {}
  const env = {
    REDIS_URL: redis.url,
    PPOPPO_AUTH_URL: sandbox.issuer,
    PCS_API_URL: url,
    PAS_TOKEN_URL: tokenUrl,
    PAS_PCS_CLIENT_ID: clientId,
    PAS_PCS_CLIENT_SECRET: clientSecret,
  }
  /** @type {[string, string][]} */
  const rows = []
  let failures = 0
  /** @param {string} name @param {string} what @param {import('./check/run.mjs').Outcome} outcome */
  const note = (name, what, { ok, output }) => {
    console.log(`${ok ? 'ok    ' : 'FAILED'}  ${name}: ${what}`)
    if (!ok) console.log(output)
    if (!ok) failures += 1
    rows.push([name, ok ? what : 'fails'])
  }
  for (const line of RUNTIMES.filter(({ name }) => isAsked(name))) {
    const isNode = line.tool?.startsWith('node@') ?? false
    note(line.name, 'sign-in, message, sign-out', await smoke(line, env))
    if (asked.suite && isNode) note(line.name, 'sign-in, message, sign-out; all tests', await suite(line))
  }
  for (const version of COMPILERS.filter((one) => isAsked(`TypeScript ${one}`)))
    note(`TypeScript ${version}`, 'its types compile', await compile(version))
  await sandbox.close()
  if (asked.write && failures === 0) write(rows)
  return failures === 0 ? 0 : 1
})

/** @param {string} name */
function toWord(name) {
  return name.toLowerCase().replaceAll(' ', '-')
}

/** @param {Line} line @param {Record<string, string>} shared */
async function smoke({ tool, args = [], env = {} }, shared) {
  const all = { ...process.env, ...shared, ...env, PORT: `${await freePort()}`, KEY_PREFIX: `smoke-${randomUUID()}:` }
  if (tool === undefined) return run(process.execPath, [...args, SMOKE], { env: all })
  return run('npm', ['exec', '--yes', `--package=${tool}`, '--', nameOf(tool), ...args, SMOKE], { env: all })
}

/** Their Redis, browsers and nginx are those of `npm test`. @param {Line} line */
async function suite({ tool = '' }) {
  return run('npm', ['exec', '--yes', `--package=${tool}`, '--', nameOf(tool), 'scripts/test.mjs'])
}

/** As an app would: with the compiler's own library, and our declarations checked. @param {string} version */
async function compile(version) {
  const flags = ['--noEmit', '--strict', '--target', 'es2022', '--module', 'nodenext', '--moduleResolution', 'nodenext']
  // From 6 on a compiler refuses files where there is a tsconfig.json, unless it is told so; older ones do not know the flag.
  if (Number.parseInt(version, 10) >= 6) flags.push('--ignoreConfig')
  const files = ['--types', 'node', '--skipLibCheck', 'test/package/consumer/app.ts']
  return run('npm', ['exec', '--yes', `--package=typescript@${version}`, '--', 'tsc', ...flags, ...files])
}

/** @param {string} tool */
function nameOf(tool) {
  return tool.replace(/@.*$/, '')
}

/** @param {readonly (readonly [string, string])[]} rows */
function write(rows) {
  const page = readFileSync(PAGE, 'utf8')
  const seen = new Map(RUNTIMES.map(({ name }) => [name, '']))
  for (const [, name = '', what = ''] of page.matchAll(/^\| (?!with)(.*) \| (.*) \|$/gm)) seen.set(name, what)
  for (const [name, what] of rows) seen.set(name, what)
  const lines = [...seen].filter(([, what]) => what !== '').map(([name, what]) => `| ${name} | ${what} |`)
  writeFileSync(PAGE, page.replace(TABLE, `$1${['| with | seen |', '|---|---|', ...lines].join('\n')}$2`))
}
