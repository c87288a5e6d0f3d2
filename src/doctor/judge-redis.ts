import { evictionWarning, persistenceWarning, type RedisPolicy } from '../store/redis/policy.js'
import { finding } from './finding.js'
import type { Finding } from './types.js'
import { isInRange } from './versions.js'

/** GETDEL and the options of SET that are needed came with it. */
const FLOOR = '6.2.0'
/** A guarded request makes one or two calls, so visitors wait for it. */
const SLOW_MS = 50
/** Lifetimes are counted by Redis's clock, and shown by this machine's. */
const CLOCK_TOLERANCE_SECONDS = 5

/** Whether the version that INFO reports is new enough. Valkey reports the Redis that it is compatible with, too. */
export function judgeVersion(info: string): Finding {
  const version = /^redis_version:(\S+)/m.exec(info)?.[1] ?? 'unknown'
  const valkey = /^valkey_version:(\S+)/m.exec(info)?.[1]
  if (isInRange(version, `>=${FLOOR}`)) {
    return finding('redis_version', { what: valkey === undefined ? `version ${version}` : `Valkey ${valkey}` })
  }
  return finding('redis_old', {
    what: `Redis ${version.slice(0, 20)} is too old: sign-ins need 6.2 or newer`,
    why: 'GETDEL, which consumes a login attempt exactly once, came with 6.2.',
    fix: 'Upgrade it to Redis 6.2 or newer, or to Valkey.',
  })
}

/** Whether it keeps what it stores. Development may lose it at a restart. */
export function judgePolicy(policy: RedisPolicy, isProduction: boolean): readonly Finding[] {
  return [...judgeEviction(policy), ...judgePersistence(policy, isProduction)]
}

function judgeEviction(policy: RedisPolicy): readonly Finding[] {
  const { eviction } = policy
  if (eviction === undefined) return []
  const warning = evictionWarning(policy, 'sign-ins')
  if (warning === undefined) return [finding('redis_eviction', { what: `maxmemory-policy ${eviction}` })]
  return [
    finding('redis_evicts', {
      what: `maxmemory-policy is ${eviction}: people are signed out when the memory is full`,
      why: 'Redis then silently deletes sign-ins, even while somebody is signing in.',
      fix: 'Run "redis-cli config set maxmemory-policy noeviction", and put it into redis.conf. A cache needs a Redis of its own.',
    }),
  ]
}

function judgePersistence(policy: RedisPolicy, isProduction: boolean): readonly Finding[] {
  const { persistence } = policy
  if (persistence === undefined) {
    const why = 'Managed services hide it; look in their console.'
    return [finding('redis_persistence_hidden', { what: 'Redis does not say whether it writes to disk', why })]
  }
  const warning = isProduction ? persistenceWarning(policy) : undefined
  if (warning === undefined) return [finding('redis_persistence', { what: PERSISTENCE[persistence] })]
  return [
    finding(persistence === 'none' ? 'redis_not_persistent' : 'redis_snapshots_only', {
      what: PERSISTENCE[persistence],
      why:
        persistence === 'none' ? 'A restart signs everybody out.' : 'A crash loses new sign-ins, and undoes sign-outs.',
      fix: 'Run "redis-cli config set appendonly yes", and put it into redis.conf.',
    }),
  ]
}

const PERSISTENCE = {
  none: 'nothing is written to disk',
  snapshots: 'only snapshots are written to disk ("appendonly" is no)',
  'append-only': 'appendonly yes',
} as const

/** Whether the best of a few round trips is short enough: the others also show how busy this process is. */
export function judgeLatency(latencies: readonly number[]): Finding {
  const best = Math.min(...latencies)
  const text = `${best < 10 ? best.toFixed(1) : Math.round(best)} ms for a round trip`
  if (best < SLOW_MS) return finding('redis_latency', { what: text })
  return finding('redis_slow', {
    what: `${text}; less than ${SLOW_MS} ms is good`,
    why: 'Every request of a signed-in person waits for one or two of them.',
    fix: 'Run the app and Redis in the same region and network; see "redis-cli --latency" and "redis-cli slowlog get".',
  })
}

/** Compares Redis's TIME with our clock. @param time what TIME returned @param ownTime milliseconds, when it was taken */
export function judgeRedisClock(time: unknown, ownTime: number): readonly Finding[] {
  const [seconds, micros]: readonly unknown[] = Array.isArray(time) ? time : []
  if (seconds === undefined) return []
  const aheadSeconds = Math.round((Number(seconds) * 1_000 + Number(micros) / 1_000 - ownTime) / 1_000)
  if (Math.abs(aheadSeconds) <= CLOCK_TOLERANCE_SECONDS) {
    return [finding('redis_clock', { what: 'its clock agrees with that of this machine' })]
  }
  return [
    finding('redis_clock_off', {
      what: `the clock of Redis is ${Math.abs(aheadSeconds)} s ${aheadSeconds > 0 ? 'ahead of' : 'behind'} that of this machine`,
      why: 'Lifetimes are counted by the clock of Redis: sign-ins end earlier or later than the app says.',
      fix: 'Keep both clocks accurate with NTP (chrony, systemd-timesyncd).',
    }),
  ]
}
