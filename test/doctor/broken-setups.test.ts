import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { Redis } from 'ioredis'
import { type Sandbox, startSandbox } from 'ppoppo-sandbox'
import { doctor } from '../../src/cli/commands/doctor.js'
import type { Diagnosis, Finding } from '../../src/index.js'
import { startReflectingPcs, writeProto } from '../messaging/support/reflecting-pcs.js'
import { KEY, SECRET } from '../support/config.js'
import { describeWithOwnRedis, findFreePort, type RedisServer, startRedis } from '../support/redis.js'
import { type Proxy as RedisProxy, startProxy } from '../support/redis-proxy.js'
import { startCluster } from '../support/redis-topologies.js'
import { type AlteredPas, startAlteredPas } from './altered-pas.js'

const CALLBACK = 'https://shop.example/auth/callback'
const CLIENTS = [{ clientId: 'shop_login_client', redirectUris: [CALLBACK, 'http://localhost:3000/auth/callback'] }]
/** An app as it should be: its packages, as far as they are looked at. */
const PEERS = { express: '^4.21.0 || ^5.0.0', 'express-session': '^1.18.0', ioredis: '^5.4.1 || ^6.0.0' }
const INSTALLED = { 'express-ppoppo': '0.1.0', express: '5.3.0', 'express-session': '1.19.0', ioredis: '6.0.0' }

interface World {
  readonly sandbox: Sandbox
  readonly pas: AlteredPas
  readonly redis: RedisServer
  /** A connection of the tests to it, with all rights. */
  readonly admin: Redis
  /** To that Redis. */
  readonly proxy: RedisProxy
  readonly freePort: number
  /** Where the packages of the app are. */
  readonly app: string
}

type Env = Readonly<Record<string, string | undefined>>

/** One way in which a set-up is broken, and how it is fixed. */
interface Broken {
  readonly code: string
  /** Variables that differ from those of a good set-up. */
  readonly env?: Env | ((world: World) => Env)
  readonly args?: readonly string[]
  readonly node?: string
  /** Breaks something; returns how to fix it. */
  readonly break?: (world: World) => Promise<() => unknown> | (() => unknown)
  /** Further findings that follow from it. */
  readonly also?: readonly string[]
  /** What the advice must say. */
  readonly fix: RegExp
}

const BROKEN: readonly Broken[] = [
  { code: 'client_id_missing', env: { PPOPPO_CLIENT_ID: '' }, fix: /Set PPOPPO_CLIENT_ID/ },
  { code: 'client_id_invalid', env: { PPOPPO_CLIENT_ID: 'shop login client' }, fix: /Set PPOPPO_CLIENT_ID/ },
  { code: 'base_url_missing', env: { PPOPPO_BASE_URL: undefined }, fix: /Set PPOPPO_BASE_URL/ },
  { code: 'base_url_invalid', env: { PPOPPO_BASE_URL: 'shop.example' }, fix: /such as https:\/\/app\.example/ },
  { code: 'base_url_http', env: { PPOPPO_BASE_URL: 'http://shop.example' }, fix: /to https:\/\/shop\.example;/ },
  {
    code: 'base_url_path',
    env: { PPOPPO_BASE_URL: 'https://shop.example/shop/' },
    fix: /to https:\/\/shop\.example\. .*PPOPPO_BASE_PATH to \/shop\./,
  },
  { code: 'base_url_local', env: { PPOPPO_BASE_URL: 'http://localhost:3000' }, fix: /public origin/ },
  { code: 'node_env_missing', env: { NODE_ENV: undefined }, fix: /NODE_ENV=production/ },
  { code: 'environment_unknown', env: { PPOPPO_ENVIRONMENT: 'prod' }, fix: /production, sandbox or local/ },
  { code: 'issuer_invalid', env: { PPOPPO_AUTH_URL: 'http://accounts.example' }, fix: /Remove PPOPPO_AUTH_URL/ },
  { code: 'scope_invalid', env: { PPOPPO_SCOPE: 'openid' }, fix: /"openid profile"/ },
  { code: 'cookie_name_invalid', args: ['--cookie-name', 'sid'], fix: /"__Host-" on https/ },
  { code: 'redis_missing', env: { REDIS_URL: undefined }, fix: /Set REDIS_URL/ },
  { code: 'redis_url_invalid', env: { REDIS_URL: 'localhost:6379' }, fix: /redis:\/\/user/ },
  { code: 'session_secret_missing', env: { PPOPPO_SESSION_SECRET: undefined }, fix: /keygen/ },
  { code: 'session_secret_invalid', env: { PPOPPO_SESSION_SECRET: 'tooshort' }, fix: /keygen/ },
  { code: 'vault_keys_missing', env: { PPOPPO_VAULT_KEYS: undefined }, fix: /keygen/ },
  { code: 'vault_keys_invalid', env: { PPOPPO_VAULT_KEYS: 'k1:abcdefgh' }, fix: /keygen/ },
  { code: 'rate_limit_invalid', env: { PPOPPO_RATE_LIMIT: '5' }, fix: /"off"/ },
  { code: 'option_invalid', args: ['--mount-path', 'auth'], fix: /as described/ },
  { code: 'messaging_client_incomplete', env: { PAS_PCS_CLIENT_SECRET: undefined }, fix: /both/ },
  { code: 'messaging_client_invalid', env: { PAS_PCS_CLIENT_SECRET: 'geheimnis-ü' }, fix: /exactly as Ppoppo issued/ },
  { code: 'messaging_api_url_invalid', env: { PCS_API_URL: 'ftp://api.example' }, fix: /PCS_API_URL/ },
  { code: 'messaging_token_url_invalid', env: { PAS_TOKEN_URL: 'https://accounts.example' }, fix: /full endpoint/ },
  { code: 'variable_unknown', env: { PPOPPO_BASEURL: 'https://shop.example' }, fix: /Rename it to PPOPPO_BASE_URL/ },
  {
    code: 'variable_quoted',
    env: { PPOPPO_CLIENT_ID: '"shop_login_client"' },
    also: ['client_unknown'],
    fix: /Remove the quotes/,
  },
  {
    code: 'clients_same',
    env: { PPOPPO_CLIENT_ID: 'sandbox_external_client' },
    also: ['client_unknown'],
    fix: /the External API client/,
  },
  {
    code: 'clients_swapped',
    env: { PPOPPO_CLIENT_ID: 'sandbox_external_client', PAS_PCS_CLIENT_ID: 'shop_login_client' },
    fix: /Set PPOPPO_CLIENT_ID to the login client/,
  },

  { code: 'node_too_old', node: '18.20.8', fix: /LTS/ },
  { code: 'node_end_of_life', node: '20.20.2', fix: /LTS/ },
  { code: 'package_missing', break: install({ 'express-session': undefined }), fix: /npm install express-session/ },
  { code: 'package_unsupported', break: install({ express: '3.21.2' }), fix: /npm install "express@\^4/ },
  { code: 'package_fault', break: install({ 'connect-redis': '9.0.0' }), fix: /connect-redis@8/ },
  {
    code: 'two_copies',
    break: install({ 'express-ppoppo/node_modules/express-session': '1.18.0' }),
    fix: /npm dedupe/,
  },
  {
    // No installer writes such a file, but a disk can hold it: a check that meets the unexpected takes nothing else with it.
    code: 'doctor_failed',
    break: ({ app }) => {
      const manifest = { version: '0.1.0', peerDependencies: { express: { toString: 1 } } }
      writeFileSync(join(app, 'node_modules/express-ppoppo/package.json'), JSON.stringify(manifest))
      return () => installAll(app, INSTALLED)
    },
    fix: /npm ci.*Otherwise report it/,
  },

  { code: 'redis_unreachable', env: (w) => ({ REDIS_URL: `redis://127.0.0.1:${w.freePort}` }), fix: /is up/ },
  {
    code: 'redis_password',
    env: (w) => ({ REDIS_URL: `redis://nobody:wrong-redis-word@127.0.0.1:${w.redis.port}` }),
    fix: /credentials/,
  },
  { code: 'redis_tls', env: (w) => ({ REDIS_URL: `rediss://127.0.0.1:${w.redis.port}` }), fix: /redis:\/\// },
  { code: 'redis_stranger', env: (w) => ({ REDIS_URL: `redis://127.0.0.1:${w.sandbox.port}` }), fix: /host and port/ },
  {
    code: 'redis_forbidden',
    env: userOf('reader'),
    break: user('reader', '+@read', '+@connection', '+info', '+time', '+config|get'),
    fix: /\+@write/,
  },
  { code: 'redis_info_hidden', env: userOf('blind'), break: user('blind', '+@all', '-info'), fix: /\+info/ },
  { code: 'redis_refuses', break: configured('min-replicas-to-write', '1', '0'), fix: /replicas/ },
  {
    code: 'redis_cluster',
    break: async () => {
      const cluster = await startCluster()
      clusterNode.REDIS_URL = cluster.servers[0]?.url ?? ''
      return () => cluster.stop()
    },
    env: () => clusterNode,
    fix: /Cluster/,
  },
  {
    code: 'redis_old',
    env: (w) => ({ REDIS_URL: `redis://127.0.0.1:${w.proxy.port}` }),
    break: altered((answer) => answer.replace(/redis_version:\d/, 'redis_version:5')),
    fix: /6\.2 or newer/,
  },
  { code: 'redis_evicts', break: configured('maxmemory-policy', 'allkeys-lru', 'noeviction'), fix: /noeviction/ },
  { code: 'redis_not_persistent', break: configured('appendonly', 'no', 'yes'), fix: /appendonly yes/ },
  {
    code: 'redis_snapshots_only',
    break: async (w) => {
      const undo = await configured('appendonly', 'no', 'yes')(w)
      await w.admin.config('SET', 'save', '3600 1')
      return async () => {
        await w.admin.config('SET', 'save', '')
        await undo()
      }
    },
    fix: /appendonly yes/,
  },
  {
    code: 'redis_slow',
    env: (w) => ({ REDIS_URL: `redis://127.0.0.1:${w.proxy.port}` }),
    break: (w) => {
      w.proxy.delay(() => 30)
      return () => w.proxy.delay(() => 0)
    },
    fix: /same region/,
  },
  {
    code: 'redis_clock_off',
    env: (w) => ({ REDIS_URL: `redis://127.0.0.1:${w.proxy.port}` }),
    break: altered((answer) =>
      answer.replace(/^(\*2\r\n\$10\r\n)(\d{10})/, (_, head, time) => `${head}${Number(time) + 90}`),
    ),
    fix: /NTP/,
  },

  {
    code: 'provider_unreachable',
    env: (w) => ({ PPOPPO_AUTH_URL: `http://127.0.0.1:${w.freePort}` }),
    fix: /Start the sandbox with "npx express-ppoppo sandbox"/,
  },
  { code: 'provider_failing', break: discovery({ kind: 'status', status: 503 }), fix: /Try again later/ },
  { code: 'provider_stranger', break: discovery({ kind: 'garbage' }), fix: /Check PPOPPO_AUTH_URL/ },
  { code: 'discovery_missing', break: discovery({ kind: 'status', status: 404 }), fix: /Check PPOPPO_AUTH_URL/ },
  {
    code: 'issuer_mismatch',
    env: (w) => ({ PPOPPO_AUTH_URL: `${w.sandbox.issuer}/` }),
    fix: /Set PPOPPO_AUTH_URL to http:\/\/localhost:\d+, /,
  },
  { code: 'pkce_unsupported', ...announced({ code_challenge_methods_supported: ['plain'] }), fix: /Ppoppo/ },
  {
    code: 'id_token_algorithm',
    ...announced({ id_token_signing_alg_values_supported: ['RS256'] }),
    fix: /Ppoppo/,
  },
  { code: 'id_token_keys_missing', ...announced({ keys: [] }), fix: /Ppoppo/ },
  { code: 'provider_clock_off', ...announced({}, 30), fix: /NTP/ },
  { code: 'provider_clock_wrong', ...announced({}, -300), fix: /NTP/ },
  {
    code: 'callback_not_registered',
    args: ['--mount-path', '/login'],
    fix: /Register exactly this URL/,
  },
  { code: 'client_unknown', env: { PPOPPO_CLIENT_ID: 'other_login_client' }, fix: /Check PPOPPO_CLIENT_ID/ },
  { code: 'scope_unknown', env: { PPOPPO_SCOPE: 'openid profile payments' }, fix: /Set PPOPPO_SCOPE/ },
  {
    code: 'authorization_refused',
    break: faulty('authorize', { kind: 'status', status: 400, error: 'invalid_request' }),
    fix: /authorizationParams/,
  },
  { code: 'callback_unclear', break: faulty('authorize', { kind: 'status', status: 502 }), fix: /Try again later/ },

  {
    code: 'messaging_token_unreachable',
    env: (w) => ({ PAS_TOKEN_URL: `http://127.0.0.1:${w.freePort}/oauth/token` }),
    fix: /Check PAS_TOKEN_URL/,
  },
  {
    code: 'messaging_token_url_wrong',
    env: (w) => ({ PAS_TOKEN_URL: `${w.sandbox.issuer}/nothing/here` }),
    fix: /PAS_TOKEN_URL to the full endpoint/,
  },
  {
    code: 'messaging_credentials_rejected',
    env: { PAS_PCS_CLIENT_SECRET: 'another-secret-word' },
    fix: /Check PAS_PCS_CLIENT_ID and PAS_PCS_CLIENT_SECRET/,
  },
  {
    code: 'messaging_unreachable',
    env: (w) => ({ PCS_API_URL: `http://127.0.0.1:${w.freePort}` }),
    fix: /Check PCS_API_URL/,
  },
  { code: 'messaging_tls', env: (w) => ({ PCS_API_URL: `https://localhost:${w.sandbox.pcs?.port}` }), fix: /Check/ },
  {
    code: 'messaging_path_wrong',
    env: (w) => ({ PCS_API_URL: `${w.sandbox.pcs?.url}/elsewhere` }),
    fix: /the path of PCS_API_URL is wrong/,
  },
  { code: 'messaging_forbidden', break: appState('suspended'), fix: /./ },
  { code: 'messaging_not_approved', break: appState('not-approved'), fix: /./ },
  {
    code: 'messaging_limited',
    break: (w) => {
      const fault = { kind: 'status', code: 'RESOURCE_EXHAUSTED' } as const
      w.sandbox.control.pcs?.inject({ method: 'GetAppStats', fault, times: 'until-cleared' })
      return () => w.sandbox.control.pcs?.clearFaults()
    },
    fix: /./,
  },
  {
    code: 'messaging_other_contract',
    break: async (w) => {
      const other = await startSandbox({ pasPort: 0, pcsPort: 0, pcsContract: 'pcs.external.v1' })
      otherContract.PCS_API_URL = other.pcs?.prefixUrl ?? ''
      otherContract.PAS_TOKEN_URL = other.pcs?.tokenUrl ?? ''
      void w
      return () => other.close()
    },
    env: () => otherContract,
    fix: /proto pull http:\/\/localhost:\d+\/ext/,
  },
  {
    code: 'messaging_definition_differs',
    break: async () => {
      // Another number for one field, as a server of a later version may have it.
      const proto = writeProto((text) => text.replace(/(string template_id = )1;/, '$177;'))
      const pcs = await startReflectingPcs(proto.file)
      pcs.answers['GetAppStats'] = { id: 'app', name: 'Shop', tier: 'free', is_active: true }
      otherDefinition.PCS_API_URL = pcs.url
      return () => {
        pcs.close()
        proto.dispose()
      }
    },
    env: () => otherDefinition,
    fix: /proto pull http:\/\/127\.0\.0\.1:\d+/,
  },
  {
    code: 'messaging_answer_unreadable',
    break: (w) => {
      const fault = { kind: 'status', code: 'UNKNOWN' } as const
      w.sandbox.control.pcs?.inject({ method: 'GetAppStats', fault, times: 'until-cleared' })
      return () => w.sandbox.control.pcs?.clearFaults()
    },
    fix: /Check PCS_API_URL/,
  },
]
const otherContract = { PCS_API_URL: '', PAS_TOKEN_URL: '' }
const otherDefinition = { PCS_API_URL: '' }
const clusterNode = { REDIS_URL: '' }

describeWithOwnRedis('express-ppoppo doctor', () => {
  let world: World
  const close: (() => unknown)[] = []

  beforeAll(async () => {
    const redis = await startRedis({ args: ['--appendonly', 'yes'] })
    const sandbox = await startSandbox({ pasPort: 0, pcsPort: 0, clients: CLIENTS })
    const [pas, proxy, freePort] = await Promise.all([startAlteredPas(sandbox), startProxy(redis.port), findFreePort()])
    const admin = new Redis(redis.url)
    const app = mkdtempSync(join(tmpdir(), 'ppoppo-doctor-'))
    world = { sandbox, pas, redis, admin, proxy, freePort, app }
    await installAll(app, INSTALLED)
    close.push(
      () => admin.disconnect(),
      () => proxy.close(),
      () => pas.close(),
      () => sandbox.close(),
      () => redis.stop(),
    )
    close.push(() => rmSync(app, { recursive: true, force: true }))
  })
  afterAll(async () => {
    for (const each of close) await each()
  })

  test('finds no fault in a good set-up', async () => {
    const { level, findings, exitCode } = await examine(world, PATIENT)
    expect(findings.filter((one) => one.level !== 'ok')).toEqual([])
    expect([level, exitCode]).toEqual(['ok', 0])
  })

  test('covers at least 25 codes, with one broken set-up each', () => {
    const codes = BROKEN.map(({ code }) => code)
    expect(new Set(codes).size).toBe(codes.length)
    expect(codes.length).toBeGreaterThan(25)
  })

  test.each(BROKEN)('finds $code and says what to do; once that is undone, it finds nothing', async (broken) => {
    const undo = await broken.break?.(world)
    try {
      const env = typeof broken.env === 'function' ? broken.env(world) : (broken.env ?? {})
      const { findings, exitCode } = await examine(world, { ...broken, env })
      const found = findings.filter(({ level, code }) => level !== 'ok' && !code.endsWith('_not_checked'))
      expect(found.map(({ code }) => code).sort()).toEqual([broken.code, ...(broken.also ?? [])].sort())
      const own = found.find(({ code }) => code === broken.code)
      expect(own?.fix).toMatch(broken.fix)
      expect(own?.docsUrl).toMatch(new RegExp(`#docs/doctor/${broken.code}\\.md$`))
      expect(exitCode).toBe(found.some(({ level }) => level === 'error') ? 2 : 1)
      assertCausesNamed(findings)
    } finally {
      await undo?.()
    }
    // Without that, the fix is the good environment of the first test.
    if (broken.break === undefined) return
    const { findings } = await examine(world, PATIENT)
    expect(findings.filter(({ level }) => level !== 'ok')).toEqual([])
  })
})

/** What was not checked says which finding is to blame. */
function assertCausesNamed(findings: readonly Finding[]): void {
  const errors = findings.filter(({ level }) => level === 'error').map(({ code }) => code)
  for (const { code, why } of findings) {
    if (code.endsWith('_not_checked')) expect(errors.some((error) => why.includes(error))).toBe(true)
  }
}

/** Where all is well nothing may be too slow, not even on a busy machine. */
const PATIENT = { args: ['--timeout', '20'] }

interface Examined extends Diagnosis {
  readonly exitCode: number
}

/** Runs the command as JSON and as text; neither shows a secret. */
async function examine(
  world: World,
  broken: { env?: Env; args?: readonly string[]; node?: string } = {},
): Promise<Examined> {
  const { sandbox, redis, app } = world
  const env: Record<string, string | undefined> = {
    NODE_ENV: 'production',
    PPOPPO_CLIENT_ID: 'shop_login_client',
    PPOPPO_BASE_URL: 'https://shop.example',
    PPOPPO_AUTH_URL: sandbox.issuer,
    PPOPPO_SESSION_SECRET: SECRET,
    PPOPPO_VAULT_KEYS: KEY,
    REDIS_URL: redis.url,
    PCS_API_URL: sandbox.pcs?.prefixUrl,
    PAS_TOKEN_URL: sandbox.pcs?.tokenUrl,
    PAS_PCS_CLIENT_ID: sandbox.pcs?.clientId,
    PAS_PCS_CLIENT_SECRET: sandbox.pcs?.clientSecret,
    ...broken.env,
  }
  const lines: string[] = []
  const io = {
    print: (line: string) => void lines.push(line),
    printError: (line: string) => void lines.push(line),
    env,
    now: () => new Date(),
  }
  const exitCode = await doctor(['--json', ...(broken.args ?? [])], io, app, broken.node ?? '24.11.0')
  const text = lines.join('\n')
  const secrets = [
    env['PPOPPO_SESSION_SECRET'],
    env['PPOPPO_VAULT_KEYS'],
    env['PAS_PCS_CLIENT_SECRET'],
    'wrong-redis-word',
    'redis-user-word',
  ]
  for (const secret of secrets) if (secret !== undefined && secret !== '') expect(text).not.toContain(secret)
  expect(text).not.toMatch(/code_challenge|client_secret=|eyJ/)
  return { ...(JSON.parse(text) as Diagnosis), exitCode }
}

function install(changes: Readonly<Record<string, string | undefined>>): NonNullable<Broken['break']> {
  return async ({ app }) => {
    await installAll(app, { ...INSTALLED, ...changes })
    return () => installAll(app, INSTALLED)
  }
}

/** Writes the package.json of each: nothing else of a package is read. */
async function installAll(app: string, packages: Readonly<Record<string, string | undefined>>): Promise<void> {
  rmSync(join(app, 'node_modules'), { recursive: true, force: true })
  for (const [name, version] of Object.entries(packages)) {
    if (version === undefined) continue
    const file = join(app, 'node_modules', name, 'package.json')
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, JSON.stringify({ version, ...(name === 'express-ppoppo' ? { peerDependencies: PEERS } : {}) }))
  }
}

function user(name: string, ...rights: readonly string[]): NonNullable<Broken['break']> {
  return async ({ admin }) => {
    await admin.call('ACL', 'SETUSER', name, 'on', '>redis-user-word', '~*', ...rights)
    return () => admin.call('ACL', 'DELUSER', name)
  }
}

function userOf(name: string): (world: World) => Env {
  return ({ redis }) => ({ REDIS_URL: `redis://${name}:redis-user-word@127.0.0.1:${redis.port}` })
}

function configured(name: string, broken: string, good: string): NonNullable<Broken['break']> {
  return async ({ admin }) => {
    await admin.config('SET', name, broken)
    return () => admin.config('SET', name, good)
  }
}

function altered(change: (answer: string) => string): NonNullable<Broken['break']> {
  return ({ proxy }) => {
    proxy.changeAnswers(change)
    return () => proxy.changeAnswers((answer) => answer)
  }
}

type Fault = Parameters<Sandbox['control']['inject']>[0]['fault']

function faulty(endpoint: 'authorize' | 'discovery', fault: Fault): NonNullable<Broken['break']> {
  return ({ sandbox }) => {
    sandbox.control.inject({ endpoint, fault, times: 'until-cleared' })
    return () => sandbox.control.clearFaults(endpoint)
  }
}

function discovery(fault: Fault): NonNullable<Broken['break']> {
  return faulty('discovery', fault)
}

/** PAS announces something else, or lives in another time. */
function announced(members: object, aheadSeconds = 0): Pick<Broken, 'break' | 'env'> {
  return {
    env: ({ pas }) => ({ PPOPPO_AUTH_URL: pas.url }),
    break: ({ pas }) => {
      pas.alter(members, aheadSeconds)
      return () => pas.alter({}, 0)
    },
  }
}

function appState(pcsAppState: 'suspended' | 'not-approved'): NonNullable<Broken['break']> {
  return ({ sandbox }) => {
    sandbox.control.set({ pcsAppState })
    return () => sandbox.control.set({ pcsAppState: 'active' })
  }
}
