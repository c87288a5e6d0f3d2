import { execFile } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from '@jest/globals'

const ROOT = join(import.meta.dirname, '../..')

/** A repository in which every rule on imports is broken once, and some things that look like it are not. */
const FILES = {
  'package.json': JSON.stringify({
    name: 'x',
    dependencies: { helmet: '*', '@grpc/grpc-js': '*' },
    devDependencies: { yaml: '*' },
  }),
  'tsconfig.base.json': JSON.stringify({ compilerOptions: { module: 'nodenext', verbatimModuleSyntax: true } }),
  'src/index.ts': "export { ppoppo } from './ppoppo.js'",
  'src/ppoppo.ts': "import { login } from './sign-in/login.js'\nexport const ppoppo = login",
  'src/sign-in/login.ts': "import { seal } from '../vault/vault.js'\nexport const login = seal",
  'src/vault/vault.ts':
    "import type { Config } from '../ppoppo-types.js'\nimport { login } from '../sign-in/login.js'\nexport const seal = (c: Config) => [c, login]",
  'src/ppoppo-types.ts': "import helmet from 'helmet'\nexport interface Config { a: typeof helmet }",
  'src/store/redis.ts': "import { session } from '../session/session.js'\nexport const redis = session",
  'src/session/session.ts': "import { parse } from 'yaml'\nexport const session = parse",
  'src/lib/html.ts': "import { config } from '../config.js'\nexport const html = config",
  'src/config.ts': "import { missing } from './gone.js'\nexport const config = missing",
  'src/user/user.ts':
    "import { Client } from '@grpc/grpc-js'\nimport { send } from '../messaging/send.js'\nexport const user = [send, Client]",
  'src/messaging/grpc.ts':
    "import { createRequire } from 'node:module'\nconst require = createRequire(import.meta.url)\nexport const grpc = () => require('@grpc/grpc-js')",
  'src/messaging/send.ts':
    "import type { redis } from '../store/redis.js'\nimport { grpc } from './grpc.js'\nimport type { Client } from '@grpc/grpc-js'\nexport const send = (r: typeof redis, c: Client) => [r, c, grpc]",
  'src/lib/alone.ts': 'export const alone = 1',
  'src/cli/main.ts': "import { startSandbox } from '../../sandbox/src/index.js'\nexport const main = startSandbox",
  'sandbox/src/index.ts': "import { html } from '../../src/lib/html.js'\nexport const startSandbox = html",
  'example-app/src/server.ts': "import { html } from '../../src/lib/html.js'\nexport const server = html",
}
const EXPECTED = [
  'downward: lib: src/lib/html.ts',
  'downward: session, vault, provider: src/vault/vault.ts',
  'downward: store: src/store/redis.ts',
  'grpc-on-demand: src/user/user.ts',
  'no-circular: src/sign-in/login.ts',
  'no-dev-dependencies: src/session/session.ts',
  'no-orphans: src/lib/alone.ts',
  'no-siblings: src/user/user.ts',
  'packages-apart: example app: example-app/src/server.ts',
  'packages-apart: library: src/cli/main.ts',
  'packages-apart: sandbox: sandbox/src/index.ts',
  'resolvable: src/config.ts',
]

let folder: string

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'ppoppo-imports-'))
  for (const [name, text] of Object.entries(FILES)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true })
    writeFileSync(join(folder, name), `${text}\n`)
  }
  symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

test('every rule on imports finds what it forbids, and nothing else', async () => {
  const args = ['src', 'sandbox/src', 'example-app/src', '--output-type', 'json']
  args.push('--config', join(ROOT, '.dependency-cruiser.mjs'))
  // It ends with the number of violations.
  const { stdout } = await promisify(execFile)(join(ROOT, 'node_modules/.bin/depcruise'), args, { cwd: folder }).catch(
    (error: { stdout: string }) => error,
  )
  const { summary }: { summary: { violations: { rule: { name: string }; from: string }[] } } = JSON.parse(stdout)
  const found = new Set(summary.violations.map(({ rule, from }) => `${rule.name}: ${from}`))
  expect([...found].sort()).toEqual(EXPECTED)
})
