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
    "import type { Profile } from '../provider/profile.js'\nimport { login } from '../sign-in/login.js'\nexport const seal = (p: Profile) => [p, login]",
  'src/provider/profile.ts':
    "import helmet from 'helmet'\nimport type { Tokens } from './tokens.js'\nexport interface Profile { a: typeof helmet; b: Tokens }",
  'src/provider/tokens.ts': "import type { Profile } from './profile.js'\nexport type Tokens = Profile | undefined",
  'src/store/store.ts': "import type { redis } from './redis/redis-store.js'\nexport type Store = typeof redis",
  'src/store/redis/redis-store.ts':
    "import type { queue } from './consumer/queue.js'\nexport const redis = (q: typeof queue) => q",
  'src/store/redis/consumer/queue.ts':
    "import { session } from '../../../session/session.js'\nexport const queue = session",
  'src/session/session.ts': "import { parse } from 'yaml'\nexport const session = parse",
  'src/lib/html.ts': "import type { config } from '../config/config.js'\nexport const html = (c: typeof config) => c",
  'src/config/config.ts': "import { missing } from './gone.js'\nexport const config = missing",
  'src/attic/box.ts': "import { html } from '../lib/html.js'\nexport const box = html",
  'src/user/user-calls.ts': "import { Client } from '@grpc/grpc-js'\nexport const user = Client",
  'src/messaging/channel/grpc.ts':
    "import { createRequire } from 'node:module'\nconst require = createRequire(import.meta.url)\nexport const grpc = () => require('@grpc/grpc-js')",
  'src/messaging/methods/send.ts':
    "import type { redis } from '../../store/redis/redis-store.js'\nimport { grpc } from '../channel/grpc.js'\nimport type { Client } from '@grpc/grpc-js'\nexport const send = (r: typeof redis, c: Client) => [r, c, grpc]",
  'src/messaging/wire/convert.ts': "import { send } from '../methods/send.js'\nexport const convert = send",
  'src/messaging/consumer/consume.ts': "import { lease } from './term/lease.js'\nexport const consume = lease",
  'src/messaging/consumer/term/lease.ts':
    "import type { sink } from '../handling/sink.js'\nexport const lease = (s: typeof sink) => s",
  'src/messaging/consumer/handling/sink.ts':
    "import { convert } from '../../wire/convert.js'\nexport const sink = convert",
  'src/lib/alone.ts': 'export const alone = 1',
  'src/cli/main.ts': "import { startSandbox } from '../../sandbox/src/index.js'\nexport const main = startSandbox",
  'sandbox/src/index.ts': "import { html } from '../../src/lib/html.js'\nexport const startSandbox = html",
  'sandbox/src/pcs/state/state.ts':
    "import type { unary } from '../methods/unary.js'\nexport type State = { unary: typeof unary }",
  'sandbox/src/pcs/methods/unary.ts':
    "import type { State } from '../state/state.js'\nexport const unary = (s: State) => s",
  'example-app/src/rows.ts': "import type { Send } from './sends.js'\nexport interface Row { send: Send }",
  'example-app/src/sends.ts': "import type { Row } from './rows.js'\nexport interface Send { row: Row }",
  'example-app/src/server.ts': "import { html } from '../../src/lib/html.js'\nexport const server = html",
}
const EXPECTED = [
  'downward: sandbox/src/pcs/state: sandbox/src/pcs/state/state.ts',
  'downward: src/lib: src/lib/html.ts',
  'downward: src/messaging/consumer/term: src/messaging/consumer/term/lease.ts',
  'downward: src/messaging/wire: src/messaging/wire/convert.ts',
  'downward: src/store/: src/store/store.ts',
  'downward: src/store/redis/: src/store/redis/redis-store.ts',
  'downward: src/store: src/store/redis/consumer/queue.ts',
  'downward: src/vault: src/vault/vault.ts',
  'grpc-on-demand: src/user/user-calls.ts',
  'no-circular: example-app/src/rows.ts',
  'no-circular: sandbox/src/pcs/methods/unary.ts',
  'no-circular: src/provider/profile.ts',
  'no-circular: src/sign-in/login.ts',
  'no-dev-dependencies: src/session/session.ts',
  'no-orphans: src/lib/alone.ts',
  'packages-apart: example app: example-app/src/server.ts',
  'packages-apart: library: src/cli/main.ts',
  'packages-apart: sandbox: sandbox/src/index.ts',
  'placed: src/: src/attic/box.ts',
  'resolvable: src/config/config.ts',
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
