import { keyPrefixOf } from '../config/key-prefix.js'
import type { Config } from '../config/options.js'
import { isPpoppoError } from '../errors.js'
import type { Runtime } from '../lib/runtime.js'
import { TIMED_OUT, wait, within } from '../lib/wait.js'
import { probeStore } from '../store/probe.js'
import { connectRedis, type RedisConnection } from '../store/redis/connection.js'
import { explainStoreFault } from '../store/redis/faults.js'
import type { RedisFaultKind } from '../store/redis/known-faults.js'
import { readRedisPolicy } from '../store/redis/policy.js'
import { createRedisStore } from '../store/redis/redis-store.js'
import type { FindingCode } from './catalogue.js'
import { causesIn } from './config-faults.js'
import { errorsIn, finding, notChecked } from './finding.js'
import { judgeLatency, judgePolicy, judgeRedisClock, judgeVersion } from './judge-redis.js'
import type { DoctorSetup } from './setup.js'
import type { Finding } from './types.js'

/** What the checks of Redis need. */
export interface CheckRedisParts {
  readonly setup: DoctorSetup
  readonly runtime: Runtime
  readonly timeoutMs: number
}

type Connection = RedisConnection<never>

const PINGS = 5
/** Two probes of a port, a second each, after a first connection that took as long. */
const EXAMINED_WITHIN_MS = 3_500
const CODES: Readonly<Record<RedisFaultKind, FindingCode>> = {
  password: 'redis_password',
  tls: 'redis_tls',
  cluster: 'redis_cluster',
  rights: 'redis_forbidden',
  old: 'redis_old',
  stranger: 'redis_stranger',
  unreachable: 'redis_unreachable',
  refuses: 'redis_refuses',
}

/** Checks the Redis of the sign-ins, if one is configured. */
export async function checkRedis({ setup, runtime, timeoutMs }: CheckRedisParts): Promise<readonly Finding[]> {
  const { config } = setup
  const invalid = causesIn(setup, ['redis', 'keyPrefix'])
  if (invalid.length > 0) return [notChecked('redis_not_checked', 'Redis', invalid)]
  if (config.redis === undefined) return []
  const connection: Connection = connectRedis({ redis: config.redis, scripts: {} })
  try {
    const first = await bounded(timeoutMs, () => askRedis(connection, config, runtime))
    return [...first, ...(await checkRights(setup, runtime, timeoutMs, first))]
  } finally {
    connection.drop()
  }
}

async function askRedis(connection: Connection, config: Config, runtime: Runtime): Promise<readonly Finding[]> {
  await connect(connection, runtime)
  const latencies = await measure(connection, runtime)
  const [master] = connection.masters()
  const info = await connection.run('info', () => master?.info() ?? Promise.resolve('')).catch(emptyIfForbidden)
  const askedAt = runtime.now()
  const time = await connection.run('time', () => master?.time() ?? Promise.resolve([])).catch(emptyIfForbidden)
  const ownTime = (askedAt + runtime.now()) / 2
  const policy = await readRedisPolicy(connection)
  const isHidden = info === ''
  return [
    finding('redis', { what: `answers${connection.isCluster ? ', as a Cluster' : ''}` }),
    ...(isHidden ? [infoHidden()] : [judgeVersion(info), ...judgePolicy(policy, config.isProduction)]),
    judgeLatency(latencies),
    ...judgeRedisClock(time, ownTime),
  ]
}

/**
 * Retries for a while if the error does not say what is wrong: meanwhile the port is examined, whether it speaks TLS, or Redis
 * at all.
 */
async function connect(connection: Connection, runtime: Runtime): Promise<void> {
  const giveUpAt = runtime.monotonic() + EXAMINED_WITHIN_MS
  for (;;) {
    try {
      await connection.run('connect', (client) => client.ping())
      return
    } catch (error) {
      const { kind, why = '' } = explainStoreFault(error) ?? {}
      const isClear = kind !== 'unreachable' || /ECONNREFUSED|ENOTFOUND/.test(why)
      if (isClear || runtime.monotonic() > giveUpAt) throw error
      await wait(100)
    }
  }
}

async function measure(connection: Connection, runtime: Runtime): Promise<readonly number[]> {
  const latencies: number[] = []
  while (latencies.length < PINGS) {
    const startedAt = runtime.monotonic()
    await connection.run('ping', (client) => client.ping())
    latencies.push(runtime.monotonic() - startedAt)
  }
  return latencies
}

/** Calls that only describe Redis may be forbidden. Those that the app needs are tried after this. */
function emptyIfForbidden(error: unknown): '' {
  if (explainStoreFault(error)?.kind === 'rights') return ''
  throw error
}

function infoHidden(): Finding {
  return finding('redis_info_hidden', {
    what: 'Redis does not let this user run INFO: version, eviction and persistence are not checked',
    fix: 'Allow the user +info and +config|get, or check "maxmemory-policy noeviction" and "appendonly yes" yourself.',
  })
}

/** Makes every kind of call once, as `auth.ready()` does, under keys of its own that expire. */
async function checkRights(
  setup: DoctorSetup,
  runtime: Runtime,
  timeoutMs: number,
  before: readonly Finding[],
): Promise<readonly Finding[]> {
  const { redis } = setup.config
  const failed = errorsIn(before)
  // The keys contain the id of the client, and a user's rights may be limited to them.
  const causes = [...failed, ...causesIn(setup, ['clientId'])]
  if (redis === undefined || causes.length > 0) {
    return [notChecked('redis_rights_not_checked', 'whether Redis allows what sign-ins need', causes)]
  }
  const store = createRedisStore({ redis, prefix: keyPrefixOf(setup.config) })
  try {
    return await bounded(timeoutMs, async () => {
      await probeStore(store, `doctor${runtime.randomBytes(8).toString('hex')}`)
      return [finding('redis_rights', { what: 'all calls that sign-ins need are allowed' })]
    })
  } finally {
    await store.close()
  }
}

/** The findings of `work`. A failure or a timeout becomes a finding, too. */
async function bounded(timeoutMs: number, work: () => Promise<readonly Finding[]>): Promise<readonly Finding[]> {
  try {
    const found = await within(work(), timeoutMs)
    if (found !== TIMED_OUT) return found
    return [finding('redis_unreachable', { what: `Redis did not answer within ${timeoutMs} ms`, fix: UNREACHABLE_FIX })]
  } catch (error) {
    const fault = explainStoreFault(error)
    if (fault === undefined && !isPpoppoError(error)) throw error
    const { kind = 'refuses', why = 'It rejects a call.', todo = UNREACHABLE_FIX } = fault ?? {}
    return [finding(CODES[kind], { what: WHAT[kind], why, fix: todo })]
  }
}

const UNREACHABLE_FIX = 'Check that it is up, and reachable from here.'
const WHAT: Readonly<Record<RedisFaultKind, string>> = {
  password: 'Redis does not accept the user or password',
  tls: 'Redis and this machine cannot agree on TLS',
  cluster: 'Redis is a Cluster and the client is not, or vice versa',
  rights: 'Redis does not allow calls that sign-ins need',
  old: 'Redis lacks commands that sign-ins need',
  stranger: 'what answers is not Redis',
  unreachable: 'Redis cannot be reached',
  refuses: 'Redis answers, but refuses calls',
}
