import type { Cluster, ClusterOptions, Redis, RedisOptions } from 'ioredis'
import { isCluster, nameOf } from './client-address.js'
import { duplicateCluster, openUrl, reconnectDelayMs } from './connect.js'
import type { RedisScript, RedisScripts, ScriptCommands } from './lua.js'

/** An ioredis client (also of a Sentinel), a Cluster, or a `redis:`/`rediss:` URL. */
export type RedisSource = Redis | Cluster | string

/** Our own client, with our scripts as commands of these names. */
export type ScriptedClient<Name extends string> = (Redis | Cluster) & ScriptCommands<Name>

/** How long a call may take. A request makes two in a row, and must be answered within two seconds. */
export const CALL_TIMEOUT_MS = 1000
const LATE_MS = 1.5 * CALL_TIMEOUT_MS
/** A healthy connection may still deliver a slow answer to a call that was just given up. */
const SILENT_MS = 2 * CALL_TIMEOUT_MS
/** A new connection takes one round trip for the handshake and one for its command; checking a node takes a third. */
const [TWO_ROUND_TRIPS_MS, THREE_ROUND_TRIPS_MS] = [2 * CALL_TIMEOUT_MS, 3 * CALL_TIMEOUT_MS]
/** How long a command may wait in Redis for something to happen: its call must be over before ioredis gives up. */
export const MAX_BLOCK_MS = 400

const NODE_OPTIONS = {
  keyPrefix: '', // ioredis would prefix a script's KEYS, but not the keys that a script builds itself
  connectTimeout: CALL_TIMEOUT_MS,
  disconnectTimeout: CALL_TIMEOUT_MS / 2, // keeps the process alive, even if there is nothing to disconnect
  // ioredis's own limits are longer than ours, because only ours allow for a busy process.
  commandTimeout: LATE_MS, // also bounds the handshake with a server that accepts and then says nothing
  socketTimeout: SILENT_MS, // a connection that owes an answer for this long is replaced
  // Nothing is sent twice, and commands under way when a connection breaks fail at once. With 1 instead of 0
  // ioredis keeps such commands until the second failed reconnection, or forever if the first succeeds.
  maxRetriesPerRequest: 0,
  autoResendUnfulfilledCommands: false,
  stringNumbers: false,
  replyMapping: 'legacy',
} satisfies RedisOptions

const REDIS_OPTIONS = {
  ...NODE_OPTIONS,
  lazyConnect: true,
  enableOfflineQueue: false,
  enableAutoPipelining: false, // see gatherWrites
  // A failover may turn our server into a replica while the connection stays: look for the new master.
  reconnectOnError: (error: Error) => error.message.includes('READONLY'),
  role: 'master',
  readOnly: false,
  monitor: false,
  sentinelCommandTimeout: TWO_ROUND_TRIPS_MS,
  sentinelRetryStrategy: reconnectDelayMs,
} satisfies RedisOptions

type Settings = typeof REDIS_OPTIONS & { readonly retryStrategy: () => number }

const CLUSTER_OPTIONS = {
  keyPrefix: '',
  lazyConnect: true,
  // This is the queue of each node while it connects; the Cluster's own is never used, since we wait for 'ready'.
  enableOfflineQueue: true,
  // ioredis pipelines per group of slots, and during resharding it passes a pipeline's MOVED errors to the caller.
  enableAutoPipelining: false,
  scaleReads: 'master',
  clusterRetryStrategy: reconnectDelayMs,
  slotsRefreshTimeout: TWO_ROUND_TRIPS_MS,
  // 0: a command whose connection broke is not sent again, because it may have run.
  retryDelayOnFailover: 0,
  // A node's first command waits for its connection.
  redisOptions: {
    ...NODE_OPTIONS,
    commandTimeout: THREE_ROUND_TRIPS_MS,
    reconnectOnError: null, // the app's own function may ask ioredis to resend a command
  },
} satisfies ClusterOptions

/** What a client of our own is made of. */
export interface OwnClientParts<Name extends string> {
  readonly redis: RedisSource
  readonly scripts: RedisScripts<Name>
}

/** A client of our own. */
export interface OwnClient<Name extends string> {
  /** Not yet connected. */
  readonly client: ScriptedClient<Name>
  /** For messages: `'Redis at 127.0.0.1:6379'`; never with a password. */
  readonly name: string
  /** The connection works: after the next failure, reconnect without a long delay. */
  calmDown(): void
}

/**
 * A client of our own: a duplicate of the one that was passed in, with our settings and scripts. What was passed in is
 * never touched again.
 */
export function createOwnClient<Name extends string>({ redis, scripts }: OwnClientParts<Name>): OwnClient<Name> {
  let failures = 0
  // ioredis counts from the last time it was 'ready', which does not mean that Redis accepts us.
  const settings = { ...REDIS_OPTIONS, retryStrategy: (): number => reconnectDelayMs(++failures) }
  const client =
    typeof redis === 'string' ? openUrl(redis, { ...settings, enableReadyCheck: false }) : duplicate(redis, settings)
  for (const [name, script] of Object.entries<RedisScript>(scripts)) client.defineCommand(name, script)
  return {
    client: client as ScriptedClient<Name>, // defineCommand has just put the commands there
    name: nameOf(client),
    calmDown(): void {
      failures = 0
    },
  }
}

function duplicate(source: Redis | Cluster, settings: Settings): Redis | Cluster {
  if (isCluster(source)) return duplicateCluster(source, CLUSTER_OPTIONS)
  // Behind Sentinel ioredis's own check tells a master from a replica.
  return source.duplicate(source.options.sentinels ? settings : { ...settings, enableReadyCheck: false })
}
