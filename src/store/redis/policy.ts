import type { Redis } from 'ioredis'
import type { RedisConnection } from './connection.js'

/** How a Redis keeps its data. Absent: it does not say (a managed service, or a user without the right to ask). */
export interface RedisPolicy {
  /** `maxmemory-policy`; on a Cluster that of the first master that evicts. */
  readonly eviction?: string
  /** `none`: a restart loses everything; `snapshots`: a crash loses the last minutes. On a Cluster the worst of all masters. */
  readonly persistence?: 'none' | 'snapshots' | 'append-only'
}

/** The policy that never evicts anything. */
const KEEPS_EVERYTHING = 'noeviction'
const WORST_FIRST = ['none', 'snapshots', 'append-only'] as const

/**
 * Asks Redis how it keeps things, by INFO and `CONFIG GET save`. Never throws: anything that may not be asked, or is
 * not answered in time, is left out.
 */
export async function readRedisPolicy<Name extends string>(
  connection: Pick<RedisConnection<Name>, 'run' | 'masters'>,
): Promise<RedisPolicy> {
  try {
    await connection.run('policy', (client) => client.ping()) // a Cluster knows its masters once it is connected
    return combine(await Promise.all(connection.masters().map((master) => readOne(connection, master))))
  } catch {
    return {}
  }
}

/** A warning about a policy that evicts; `undefined` if none is known. @param lost what is lost, e.g. `'sign-ins'` */
export function evictionWarning({ eviction }: RedisPolicy, lost: string): string | undefined {
  if (eviction === undefined || eviction === KEEPS_EVERYTHING) return undefined
  return `Redis has "maxmemory-policy ${eviction}": once its memory is full it deletes ${lost} without a word. Set "maxmemory-policy noeviction".`
}

/** A warning about a Redis that may lose sign-ins; `undefined` if there is nothing to warn about. */
export function persistenceWarning({ persistence }: RedisPolicy): string | undefined {
  if (persistence === 'none')
    return 'Redis keeps nothing on its disk ("appendonly" is no, "save" is empty): a restart signs everybody out. Set "appendonly yes".'
  if (persistence === 'snapshots')
    return 'Redis writes snapshots only ("appendonly" is no): a crash loses the sign-ins since the last one, and undoes the sign-outs. Set "appendonly yes".'
  return undefined
}

async function readOne<Name extends string>(
  { run }: Pick<RedisConnection<Name>, 'run'>,
  master: Redis,
): Promise<RedisPolicy> {
  const info = await run('policy', () => master.info())
  const eviction = field(info, 'maxmemory_policy')
  const appends = field(info, 'aof_enabled')
  if (appends === undefined || appends === '1') return toPolicy(eviction, appends === '1' ? 'append-only' : undefined)
  const save: unknown = await run('policy', () => master.config('GET', 'save')).catch(() => undefined)
  const points: unknown = Array.isArray(save) ? save[1] : undefined
  return toPolicy(eviction, typeof points === 'string' ? (points === '' ? 'none' : 'snapshots') : undefined)
}

function toPolicy(eviction: string | undefined, persistence: RedisPolicy['persistence']): RedisPolicy {
  return { ...(eviction === undefined ? {} : { eviction }), ...(persistence === undefined ? {} : { persistence }) }
}

function field(info: string, name: string): string | undefined {
  return new RegExp(`^${name}:(\\S+)`, 'm').exec(info)?.[1]
}

function combine(policies: readonly RedisPolicy[]): RedisPolicy {
  const evictions = policies.map(({ eviction }) => eviction).filter((one) => one !== undefined)
  return toPolicy(
    evictions.find((one) => one !== KEEPS_EVERYTHING) ?? evictions[0],
    WORST_FIRST.find((one) => policies.some(({ persistence }) => persistence === one)),
  )
}
