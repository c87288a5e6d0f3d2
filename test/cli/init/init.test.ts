import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseEnv } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { transformSync } from '@swc/core'
import { type Sandbox, startSandbox } from 'ppoppo-sandbox'
import { init } from '../../../src/cli/commands/init.js'
import { libraryForTests } from '../../support/built-library.js'
import { findFreePort } from '../../support/redis.js'
import { until } from '../../support/until.js'
import { FIXTURES, type Fixture } from './fixtures.js'

const REPOSITORY = fileURLToPath(new URL('../../../', import.meta.url))
const CACHE = join(REPOSITORY, 'node_modules/.cache')

/** Those that differ in what is started. */
const STARTED = FIXTURES.filter(({ name }) => /^(JavaScript|TypeScript, CommonJS|Express 4|Passport)/.test(name))

let home: string
let count = 0
beforeAll(() => {
  mkdirSync(CACHE, { recursive: true })
  // Where the packages of the repository are found: nothing is installed.
  home = mkdtempSync(join(CACHE, 'ppoppo-init-'))
})
afterAll(() => rmSync(home, { recursive: true, force: true }))

/** Writes an app. @returns its folder */
function write(files: Readonly<Record<string, string>>, at = ''): string {
  const folder = join(home, `app-${count++}`)
  // So that nothing above it is taken for a part of it.
  mkdirSync(join(folder, '.git'), { recursive: true })
  for (const [file, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, file)), { recursive: true })
    writeFileSync(join(folder, file), text)
  }
  return join(folder, at)
}

interface Ran {
  readonly code: number
  readonly out: string
  readonly err: string
}

async function run(folder: string, args: readonly string[], answer?: string): Promise<Ran> {
  const [out, err]: [string[], string[]] = [[], []]
  const io = {
    print: (line: string) => void out.push(line),
    printError: (line: string) => void err.push(line),
    env: {},
  }
  const terminal = { isInteractive: answer !== undefined, ask: async () => answer ?? '' }
  const code = await init(args, { ...io, now: () => new Date(0) }, folder, terminal)
  return { code, out: out.join('\n'), err: err.join('\n') }
}

/** All files below a folder, with their texts. */
function snapshot(folder: string): Readonly<Record<string, string>> {
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((file) =>
    lstatSync(join(folder, file)).isFile(),
  )
  return Object.fromEntries(files.map((file) => [file, readFileSync(join(folder, file), 'utf8')]))
}

const small = (
  more: Readonly<Record<string, string>> = {},
  dependencies: object = {},
): Readonly<Record<string, string>> => ({
  'package.json': JSON.stringify({ type: 'module', dependencies: { express: '^5.0.0', ...dependencies } }),
  'app.js': "import express from 'express'\nconst app = express()\napp.listen(3000)\n",
  ...more,
})

describe.each(FIXTURES)(
  'express-ppoppo init: $name',
  ({ files, at, entry, module, between, imports, mounts, says, installs, express }) => {
    test('inserts the two lines at the right place, shows them before, and then has nothing to do', async () => {
      const folder = write(files, at)
      if (express === 4) link(folder, 'express', join(REPOSITORY, 'node_modules/express4'))
      const before = snapshot(folder)
      const planned = await run(folder, ['--dry-run'])
      expect(planned.out.split('\n')[0]).toMatch(says)
      expect(planned.out).toContain(`+ ${imports}`)
      expect(planned.out).toContain(`+ ${mounts}`)
      expect([planned.code, snapshot(folder)]).toEqual([0, before])

      const { code, out, err } = await run(folder, ['--yes'])
      expect([code, err]).toEqual([0, ''])
      expect(out).toMatch(installs)
      const after = snapshot(folder)
      const lines = (after[entry] ?? '').split('\n')
      const at_ = lines.indexOf(mounts)
      expect([lines[at_ - 1], lines[at_ + 1]]).toEqual(between)
      expect(lines.filter((line) => line !== mounts && line !== imports).join('\n')).toBe(before[entry])
      expect(after[module]).toMatch(/ppoppo\(/)
      for (const [file, text] of Object.entries(before)) if (file !== entry) expect(after[file]).toBe(text)

      const again = await run(folder, [])
      expect([again.code, again.err]).toEqual([0, ''])
      expect(again.out).toMatch(/\n\nNothing to do: /)
      expect(snapshot(folder)).toEqual(after)
    })
  },
)

describe('express-ppoppo init: the result', () => {
  let sandbox: Sandbox
  const children: ChildProcess[] = []
  beforeAll(async () => {
    sandbox = await startSandbox({ pasPort: 0 })
  })
  afterAll(async () => {
    for (const child of children) child.kill('SIGKILL')
    await sandbox.close()
  })

  test('starts, and /auth/login leads to PAS', async () => {
    const library = await libraryForTests()
    const locations = await Promise.all(STARTED.map((fixture) => startAndSignIn(fixture, library)))
    expect(locations.length).toBe(5)
    for (const location of locations) expect(location).toMatch(new RegExp(`^${sandbox.issuer}/oauth/authorize\\?`))
  })

  async function startAndSignIn(fixture: Fixture, library: string): Promise<string> {
    const folder = write(fixture.files, fixture.at)
    await run(folder, ['--yes'])
    link(folder, 'express-ppoppo', library)
    if (fixture.express === 4) link(folder, 'express', join(REPOSITORY, 'node_modules/express4'))
    stubPassport(folder)
    const file = compiled(folder, fixture)
    if (/\.[mc]?js$/.test(fixture.entry)) execFileSync(process.execPath, ['--check', join(folder, fixture.entry)])
    const port = await findFreePort()
    const env = {
      PATH: process.env['PATH'],
      PORT: String(port),
      PPOPPO_BASE_URL: `http://localhost:${port}`,
      PPOPPO_AUTH_URL: sandbox.issuer,
    }
    const child = spawn(process.execPath, ['--env-file=.env', file], {
      cwd: folder,
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    children.push(child)
    let output = ''
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += chunk))
    await until(() => {
      if (child.exitCode !== null) throw new Error(`${fixture.name} ended: ${output}`)
      return output.includes('listening')
    })
    const answer = await fetch(`http://localhost:${port}/auth/login`, {
      redirect: 'manual',
      headers: { accept: 'text/html', 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' },
    })
    child.kill()
    await once(child, 'close')
    return answer.headers.get('location') ?? `${fixture.name}: ${answer.status} ${output}`
  }

  test('compiles where the app is TypeScript', async () => {
    const apps = FIXTURES.filter(({ entry }) => entry.endsWith('.ts'))
    expect(apps.length).toBe(2)
    const entries: string[] = []
    for (const { files, entry } of apps) {
      const folder = write(files)
      await run(folder, ['--yes'])
      stubTypes(folder)
      entries.push(join(folder, entry))
    }
    // One run for both: what each file is compiled to depends on its package.json.
    const args = [
      '--noEmit',
      '--strict',
      '--skipLibCheck',
      '--ignoreConfig',
      '--module',
      'nodenext',
      '--types',
      'node',
      ...entries,
    ]
    const child = spawn(process.execPath, [join(REPOSITORY, 'node_modules/typescript/bin/tsc'), ...args], { cwd: home })
    let output = ''
    child.stdout.on('data', (chunk) => (output += chunk))
    const [code] = await once(child, 'close')
    expect([output, code]).toEqual(['', 0])
  })
})

/** The library's own types are checked elsewhere. */
function stubTypes(folder: string): void {
  const home = join(folder, 'node_modules/express-ppoppo')
  mkdirSync(home, { recursive: true })
  writeFileSync(join(home, 'package.json'), '{ "type": "module", "types": "index.d.ts", "main": "index.js" }')
  const types = `import type { RequestHandler } from 'express'
export declare function ppoppo(options?: { session?: false }): RequestHandler
`
  writeFileSync(join(home, 'index.d.ts'), types)
  writeFileSync(join(home, 'index.js'), '')
}

function link(folder: string, name: string, target: string): void {
  mkdirSync(join(folder, 'node_modules'), { recursive: true })
  symlinkSync(target, join(folder, 'node_modules', name), 'dir')
}

function stubPassport(folder: string): void {
  const home = join(folder, 'node_modules/passport')
  mkdirSync(home, { recursive: true })
  writeFileSync(
    join(home, 'index.js'),
    'const pass = () => (req, res, next) => next()\nmodule.exports = { initialize: pass, session: pass }\n',
  )
  writeFileSync(join(home, 'package.json'), '{}')
}

/** The file to start: of TypeScript what it compiles to. */
function compiled(folder: string, { files, entry }: Fixture): string {
  if (!entry.endsWith('.ts')) return entry
  const isModule = files['package.json']?.includes('"module"') === true
  for (const file of readdirSync(join(folder, 'src'))) {
    const { code } = transformSync(readFileSync(join(folder, 'src', file), 'utf8'), {
      jsc: { target: 'es2022', parser: { syntax: 'typescript' } },
      module: { type: isModule ? 'es6' : 'commonjs' },
    })
    mkdirSync(join(folder, 'dist'), { recursive: true })
    writeFileSync(join(folder, 'dist', file.replace(/\.ts$/, '.js')), code)
  }
  return entry.replace('src/', 'dist/').replace(/\.ts$/, '.js')
}

describe('express-ppoppo init: frameworks around Express', () => {
  const MAIN = `import { NestFactory } from '@nestjs/core';
import { AppModule } from './app.module.js';

async function bootstrap() {
  const app = await NestFactory.create(AppModule, { rawBody: true });
  app.use(helmet());
  app.useGlobalPipes(new ValidationPipe());
  await app.listen(process.env.PORT ?? 3000);
}
await bootstrap();
`
  const nest = (dependencies: object): Readonly<Record<string, string>> => ({
    'package.json': JSON.stringify({ name: 'desk', type: 'module', dependencies }),
    'tsconfig.json': '{}',
    'src/main.ts': MAIN,
  })

  test('mounts auth in the main.ts of a NestJS app, and names the page about guards', async () => {
    for (const type of ['', '<NestExpressApplication>']) {
      const files = nest({ '@nestjs/core': '^12.0.0', '@nestjs/platform-express': '^12.0.0' })
      const main = MAIN.replace('create(', `create${type}(`)
      const folder = write({ ...files, 'src/main.ts': main })
      const { code, out, err } = await run(folder, ['--yes'])
      expect([code, err]).toEqual([0, ''])
      expect(out).toMatch(/^desk: NestJS on Express 5, TypeScript, ES modules, npm; the app is in src\/main\.ts/)
      expect(out).toMatch(/npx nest start --env-file \.env\n.*docs\/nestjs\.md/)
      const expected = main
        .replace("module.js';\n", "module.js';\nimport { auth } from './auth.js';\n")
        .replace('app.use(helmet());\n', 'app.use(helmet());\n  app.use(auth);\n')
      expect(readFileSync(join(folder, 'src/main.ts'), 'utf8')).toBe(expected)
      expect(readFileSync(join(folder, 'src/auth.ts'), 'utf8')).toContain('export const auth = ppoppo();')
      expect((await run(folder, [])).out).toContain('Nothing to do')
    }
  })

  test('says that NestJS on Fastify does not work', async () => {
    const folder = write(nest({ '@nestjs/core': '^12.0.0', '@nestjs/platform-fastify': '^12.0.0' }))
    const { code, err } = await run(folder, ['--yes'])
    expect([code, err]).toEqual([
      2,
      expect.stringMatching(/NestJS app does not use Express: install "@nestjs\/platform-e/),
    ])
  })

  test("takes Vite's address for the base URL where its development server stands in front of Express", async () => {
    const config = (server: string): string => `export default { server: ${server} }\n`
    for (const [text, base, step] of [
      [config("{ proxy: { '/api': 'http://localhost:4000' } }"), 'http://localhost:5173', true],
      [config("{ port: 8080, proxy: { '/api': 'x', '/auth': 'x' } }"), 'http://localhost:8080', false],
      [config('{ port: 8080 }'), 'http://localhost:4000', false],
    ] as const) {
      const source = "import express from 'express'\nconst app = express()\napp.listen(4000)\n"
      const folder = write(small({ 'vite.config.js': text, 'app.js': source }))
      const { out } = await run(folder, ['--yes'])
      expect(parseEnv(readFileSync(join(folder, '.env'), 'utf8'))['PPOPPO_BASE_URL']).toBe(base)
      expect(
        out.includes("in vite.config.js, let Vite pass the routes on: proxy: { '/auth': 'http://localhost:4000' }"),
      ).toBe(step)
    }
  })
})

describe('express-ppoppo init: how an app is made', () => {
  const [ESM, CJS] = ["import express from 'express'\n", "const express = require('express')\n"]
  test.each<[string, string, string]>([
    [ESM, 'const app = express()', 'app'],
    [ESM, 'export const app = express( )', 'app'],
    [ESM, 'const server = express();', 'server'],
    [ESM, 'const app: Express = express()', 'app'],
    [ESM, 'const app: core.Express = express() as Express', 'app'],
    [ESM, 'let app: Application<Locals>\napp = express()', 'app'],
    [ESM, 'class Shop {\n  constructor() {\n    this.app = express()\n  }\n}', 'this.app'],
    ["import * as express from 'express'\n", 'const app = express.default()', 'app'],
    ["import Express, { Router } from 'express'\n", 'const app = Express()', 'app'],
    ["import makeApp = require('express')\n", 'const app = makeApp()', 'app'],
    [CJS, 'var app = module.exports = express();', 'app'],
    [CJS, 'exports.app = express()', 'exports.app'],
    ["const http = require('http')\n", "const app = require('express')()", 'app'],
    ["import { NestFactory } from '@nestjs/core'\n", 'const app = await NestFactory.create(AppModule)', 'app'],
    [
      "import { NestFactory } from '@nestjs/core'\n",
      'const app: INestApplication<App> =\n  await NestFactory.create< NestExpressApplication >(AppModule, {\n  bufferLogs: true,\n})',
      'app',
    ],
  ])('finds it in the entry, and mounts auth on it: %j %j', async (imports, made, name) => {
    // Another file with a usual name, so that the right one has to be recognized.
    const folder = write(
      small({ 'app.js': 'export const settings = configure()\n', 'index.js': `${imports}\n${made}\n` }),
    )
    const { code, out } = await run(folder, ['--yes'])
    expect([code, out]).toEqual([0, expect.stringContaining('; the app is in index.js')])
    const lines = readFileSync(join(folder, 'index.js'), 'utf8')
      .split('\n')
      .map((line) => line.trim().replace(/;$/, ''))
    expect(lines).toContain(`${name}.use(auth)`)
    expect(lines.indexOf(`${name}.use(auth)`)).toBeGreaterThan(2)
  })

  test('no other function is taken for Express', async () => {
    const folder = write(
      small({ 'app.js': "import x from './x.js'\nconst app = require('./app')()\nconst b = createApp()\n" }),
    )
    expect((await run(folder, ['--yes'])).err).toMatch(/no file with "express\(\)" was found/)
  })

  test.each(['js', 'mjs', 'ts', 'cjs', 'mts', 'cts'])('knows vite.config.%s', async (extension) => {
    const config = "export default { server: { proxy: { '/api': 'http://localhost:4000' } } }\n"
    const folder = write(small({ [`vite.config.${extension}`]: config }))
    expect((await run(folder, ['--yes'])).out).toContain(`in vite.config.${extension}, let Vite pass the routes on`)
  })
})

describe('express-ppoppo init: without certainty', () => {
  test.each<[string, Readonly<Record<string, string>>, RegExp]>([
    [
      'a session that is mounted elsewhere',
      small({ 'lib/session.js': "export { default } from 'express-session'\n" }, { 'express-session': '1' }),
      /where it is mounted was not found\. Put them after your session/,
    ],
    [
      'cookie-session',
      small({}, { 'cookie-session': '2' }),
      /uses cookie-session, whose session the library cannot use/,
    ],
    [
      'two apps',
      small({ 'app.js': "import express from 'express'\nconst a = express()\nconst b = express()\n" }),
      /creates several Express apps/,
    ],
    [
      'an app configured at once',
      small({ 'app.js': "import express from 'express'\nconst app = express()\n  .use(express.json())\n" }),
      /configured in the expression/,
    ],
    [
      'an app declared with something else',
      small({ 'app.js': "import express from 'express'\nconst app = express(),\n  port = 3000\n" }),
      /declares something else, too/,
    ],
    [
      'brackets that do not match',
      small({ 'app.js': "import express from 'express'\nconst app = express()\n}\n" }),
      /brackets could not be matched/,
    ],
    ['no import', small({ 'app.js': 'const app = express()\n' }), /no import or require was found/],
  ])('leaves the entry alone and prints the two lines: %s', async (_name, files, why) => {
    const folder = write(files)
    const { code, out } = await run(folder, ['--yes'])
    expect(code).toBe(1)
    expect(out).toMatch(/\nTo do by hand in app\.js, since /)
    expect(out).toMatch(why)
    expect(out).toMatch(/\n\+ (import|const) \{ auth \}.*\n\+ app\.use\(auth\)/)
    expect(readFileSync(join(folder, 'app.js'), 'utf8')).toBe(files['app.js'])
    // Once they are there, it is content.
    writeFileSync(join(folder, 'app.js'), `import { auth } from './auth.js'\n${files['app.js']}app.use(auth)\n`)
    expect((await run(folder, [])).out).toContain('Nothing to do')
  })

  test.each<[string, Readonly<Record<string, string>>, readonly string[], RegExp]>([
    ['no package.json', {}, ['--yes'], /there is no package\.json here; run it in the folder of your app/],
    ['no Express', { 'package.json': '{}' }, ['--yes'], /"express" is not in the dependencies/],
    [
      'the root of a workspace',
      { 'package.json': '{"workspaces":["a"]}' },
      ['--yes'],
      /in the package of the Express app/,
    ],
    ['a package.json that is none', { 'package.json': '{' }, ['--yes'], /package\.json is not JSON/],
    [
      'no app',
      small({ 'app.js': '' }),
      ['--yes'],
      /no file with "express\(\)" was found; name it with --entry <file>, or write it first/,
    ],
    ['an entry outside', small(), ['--yes', '--entry', '../app.js'], /--entry does not name a source file here/],
    ['both', small(), ['--yes', '--dry-run'], /takes --yes or --dry-run/],
    ['an unknown option', small(), ['--force'], /takes --yes or --dry-run, --json and --entry <file>; see --help/],
    ['no terminal', small(), [], /this is not an interactive terminal; add --yes to make these changes, or --dry-run/],
    ['JSON that would have to ask', small(), ['--json'], /this is not an interactive terminal/],
  ])('fails with one clear line and changes nothing: %s', async (_name, files, args, why) => {
    const folder = write(files)
    const before = snapshot(folder)
    const { code, err } = await run(folder, args)
    expect(code).toBe(2)
    expect(err).toMatch(why)
    expect(err.split('\n').length).toBe(1)
    expect(snapshot(folder)).toEqual(before)
  })
})

describe('express-ppoppo init: files', () => {
  test('asks at a terminal, and changes nothing if the answer is no', async () => {
    const folder = write(small())
    const before = snapshot(folder)
    for (const answer of ['', 'n', 'nonsense']) {
      const { code, out } = await run(folder, [], answer)
      expect([code, out.split('\n').at(-1)]).toEqual([1, 'Nothing was changed.'])
    }
    expect(snapshot(folder)).toEqual(before)
    expect((await run(folder, [], 'y')).code).toBe(0)
    expect(existsSync(join(folder, 'auth.js'))).toBe(true)
  })

  test('.env: appends what is missing, keeps what is there, shows no secret, and is for its owner only', async () => {
    const folder = write(small({ '.env': 'PPOPPO_CLIENT_ID=mine\nDATABASE_URL=postgres://me:word@db/shop' }))
    const { out } = await run(folder, ['--yes'])
    const text = readFileSync(join(folder, '.env'), 'utf8')
    expect(text.startsWith('PPOPPO_CLIENT_ID=mine\nDATABASE_URL=postgres://me:word@db/shop\n\n# ')).toBe(true)
    const set = parseEnv(text)
    expect(set).toMatchObject({
      PPOPPO_CLIENT_ID: 'mine',
      PPOPPO_BASE_URL: 'http://localhost:3000',
      PPOPPO_ENVIRONMENT: 'local',
    })
    for (const name of ['PPOPPO_SESSION_SECRET', 'PPOPPO_VAULT_KEYS', 'DATABASE_URL'])
      expect(out).not.toContain(set[name])
    expect(out).toContain('+ PPOPPO_VAULT_KEYS=...')
    const fresh = write(small())
    const json = await run(fresh, ['--yes', '--json'])
    expect(json.out).not.toContain(parseEnv(readFileSync(join(fresh, '.env'), 'utf8'))['PPOPPO_VAULT_KEYS'])
    expect(lstatSync(join(fresh, '.env')).mode & 0o777).toBe(0o600)
    expect(JSON.parse(json.out)).toMatchObject({ applied: true, project: { entry: 'app.js', express: 5 } })
  })

  test('.gitignore: gets .env unless it has it; an exception is a warning', async () => {
    for (const [before, after] of [
      [undefined, '.env\n'],
      ['node_modules', 'node_modules\n.env\n'],
      ['/.env\n', '/.env\n'],
      ['.env*\n!.env.example\n', '.env*\n!.env.example\n'],
      // These are about .env.local and so on.
      ['.env.*\n', '.env.*\n.env\n'],
    ] as const) {
      const folder = write(small(before === undefined ? {} : { '.gitignore': before }))
      await run(folder, ['--yes'])
      expect(readFileSync(join(folder, '.gitignore'), 'utf8')).toBe(after)
    }
    const folder = write(small({ '.gitignore': '.env\n!.env\n' }))
    expect((await run(folder, ['--yes'])).out).toMatch(/Warning: \.gitignore exempts \.env/)
  })

  test('.gitignore: a line with a slash further up is not about the .env of this folder', async () => {
    for (const [above, own] of [
      ['/.env\n', '.env\n'],
      ['.env\n', undefined],
    ] as const) {
      const files = Object.entries(small()).map(([file, text]) => [`shop/${file}`, text])
      const folder = write({ '.gitignore': above, ...Object.fromEntries(files) }, 'shop')
      await run(folder, ['--yes'])
      expect(
        existsSync(join(folder, '.gitignore')) ? readFileSync(join(folder, '.gitignore'), 'utf8') : undefined,
      ).toBe(own)
    }
  })

  test('of an .env that is there no line of a secret is shown', async () => {
    const env = 'KEY="-----BEGIN KEY-----\nsecretsecret1\nsecretsecret2=="\n#OLD=secretsecret3\nMY-KEY=secretsecret4\n'
    for (const args of [['--dry-run'], ['--dry-run', '--json']]) {
      for (const lines of [2, 3, 4, 5]) {
        const folder = write(small({ '.env': env.split('\n').slice(0, lines).join('\n') }))
        const { out } = await run(folder, args)
        expect(out).toContain('PPOPPO_CLIENT_ID=')
        expect(out).not.toContain('secretsecret')
      }
    }
  })

  test('keeps line ends, a missing last line break, a byte order mark, rights and links', async () => {
    const source = "\uFEFFimport express from 'express'\r\nconst app = express()"
    const folder = write(small({ 'app.js': source, 'real/app.js': source }))
    rmSync(join(folder, 'app.js'))
    symlinkSync('real/app.js', join(folder, 'app.js'))
    chmodSync(join(folder, 'real/app.js'), 0o750)
    expect((await run(folder, ['--yes'])).code).toBe(0)
    const expected =
      "\uFEFFimport express from 'express'\r\nimport { auth } from './auth.js'\r\nconst app = express()\r\napp.use(auth)\r\n"
    expect(readFileSync(join(folder, 'real/app.js'), 'utf8')).toBe(expected)
    expect(lstatSync(join(folder, 'app.js')).isSymbolicLink()).toBe(true)
    expect(lstatSync(join(folder, 'real/app.js')).mode & 0o777).toBe(0o750)
    expect(readdirSync(folder).filter((file) => file.endsWith('.tmp'))).toEqual([])
  })

  test('an express-session that nothing imports is there for the library: README says to install it before', async () => {
    const built = { 'dist/app.js': "import session from 'express-session'\n" }
    const { code, out } = await run(write(small(built, { 'express-session': '1', ioredis: '6' })), ['--yes'])
    expect(code).toBe(0)
    expect(out).toMatch(/the app is in app\.js\n/)
    expect(out).toContain('+ app.use(auth)')
    expect(out).toContain('+ PPOPPO_SESSION_SECRET=...')
  })

  test('names no --env-file where the app loads .env itself', async () => {
    const source = "import 'dotenv/config'\nimport express from 'express'\nconst app = express()\n"
    expect((await run(write(small({ 'app.js': source })), ['--yes'])).out).toMatch(/\n {2}node app\.js\n/)
    expect((await run(write(small()), ['--yes'])).out).toMatch(/\n {2}node --env-file=\.env app\.js\n/)
  })

  test.each([
    ['server.js', "import { app } from './app.js'\n// app.listen(1234)\napp.listen(8080)\n", 8080],
    ['bin/www', "var port = normalizePort(process.env['PORT'] || '5001')\nserver.listen(port)\n", 5001],
  ])('starts %s, and takes its port, where the file with the app does not listen', async (file, source, port) => {
    const app = "import express from 'express'\n// app.listen(1234)\nexport const app = express()\n"
    const folder = write(small({ 'app.js': app, [file]: source }))
    const { out } = await run(folder, ['--yes'])
    expect(out).toMatch(/the app is in app\.js\n/)
    expect(out).toContain(`\n  node --env-file=.env ${file}\n`)
    expect(readFileSync(join(folder, '.env'), 'utf8')).toContain(`PPOPPO_BASE_URL=http://localhost:${port}\n`)
  })

  test('starts TypeScript with tsx where the app has it', async () => {
    const files = {
      'tsconfig.json': '{}',
      'src/app.ts': "import express from 'express'\nconst app = express()\napp.listen(3000)\n",
    }
    const started = async (dependencies: object): Promise<string> =>
      (await run(write({ ...small(files, { typescript: '6', ...dependencies }), 'app.js': '' }), ['--yes'])).out
    expect(await started({ tsx: '4' })).toContain('\n  npx tsx --env-file=.env src/app.ts\n')
    expect(await started({})).toContain('node --env-file=.env <the compiled file>')
  })

  test('warns of a path of the app that the library would answer', async () => {
    const source =
      "import express from 'express'\nconst app = express()\napp.get('/auth/login', (req, res) => res.send('mine'))\n"
    const { out } = await run(write(small({ 'app.js': source })), ['--dry-run'])
    expect(out).toMatch(/Warning: the app already has something at \/auth\/login: .*"mountPath"/)
  })

  test('never replaces a file of that name, and uses the module of an earlier run', async () => {
    const folder = write(small({ 'auth.js': "export const roles = ['admin']\n" }))
    const { out } = await run(folder, ['--yes'])
    expect(out).toContain("+ import { auth } from './ppoppo-auth.js'")
    expect(readFileSync(join(folder, 'auth.js'), 'utf8')).toBe("export const roles = ['admin']\n")
    const other = write(small({ 'auth.js': "import { ppoppo } from 'express-ppoppo'\nexport const auth = ppoppo()\n" }))
    expect((await run(other, ['--dry-run'])).out).not.toContain('auth.js (new)')
  })

  test('writes nothing if a file has changed since it was shown', async () => {
    const folder = write(small())
    const io = {
      print: () => {},
      printError: (line: string) => void errors.push(line),
      env: {},
      now: () => new Date(0),
    }
    const errors: string[] = []
    const ask = async (): Promise<string> => {
      writeFileSync(join(folder, 'app.js'), '// meanwhile\n')
      return 'y'
    }
    expect(await init([], io, folder, { isInteractive: true, ask })).toBe(2)
    expect(errors[0]).toMatch(/app\.js has changed meanwhile; nothing was written/)
    expect(existsSync(join(folder, 'auth.js'))).toBe(false)
  })
})
