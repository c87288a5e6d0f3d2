import { createRequire } from 'node:module'
import type { Cluster, ClusterOptions, Redis, RedisOptions } from 'ioredis'
import { PpoppoError } from '../errors.js'
import { RedisTimeout, toStoreError } from './redis-faults.js'
import { REDIS_SCRIPTS, type ScriptCommands } from './redis-scripts.js'

/** An ioredis client (also of a Sentinel), a Cluster, or a `redis:`/`rediss:` URL. */
export type RedisSource = Redis | Cluster | string

/** Our own client, with our scripts on it. */
export type ScriptedClient = (Redis | Cluster) & ScriptCommands

/** Our own connection to Redis. */
export interface RedisConnection {
  /** Whether keys live on several nodes, each with its own clock. */
  readonly isCluster: boolean
  /**
   * Runs one command within a second, waiting for the connection included.
   * @param operation the store's method, for the error message
   * @throws `store_unavailable`; `closed` after `close()`
   */
  run<T>(operation: string, command: (client: ScriptedClient) => Promise<T>): Promise<T>
  /** The clients to scan: all masters of a Cluster, else the one. */
  masters(): readonly Redis[]
  /** Lets what was sent be answered for half a second, then closes. Idempotent. */
  close(): Promise<void>
}

/** How long a call may take. A request makes two in a row, and must be answered within two seconds. */
const CALL_TIMEOUT_MS = 1000
/** How long a call may take while calls are known to run out of time, so that the second one adds little. */
const HASTY_CALL_TIMEOUT_MS = 100
/** How long calls are hasty after one ran out of time. Then one may wait in full again: a slow link is not a dead one. */
const HASTE_MS = 1000
const CLOSE_TIMEOUT_MS = 500

const reconnectDelayMs = (attempt: number): number => Math.min(50 * attempt, 500)

const NODE_OPTIONS = {
  keyPrefix: '', // ioredis would prefix a script's KEYS, and not the keys the script makes itself
  connectTimeout: CALL_TIMEOUT_MS,
  commandTimeout: CALL_TIMEOUT_MS, // also bounds the handshake with a server that accepts and then says nothing
  socketTimeout: CALL_TIMEOUT_MS, // a connection that owes an answer for this long is replaced
  // Nothing is sent twice, and what was under way when a connection broke is refused at once. With 1 instead of 0
  // ioredis keeps such commands until the second failed reconnection, or for ever if the first succeeds.
  maxRetriesPerRequest: 0,
  autoResendUnfulfilledCommands: false,
  stringNumbers: false,
  replyMapping: 'legacy',
} satisfies RedisOptions

const REDIS_OPTIONS = {
  ...NODE_OPTIONS,
  lazyConnect: true,
  enableOfflineQueue: false,
  enableAutoPipelining: true,
  autoPipeliningIgnoredCommands: [],
  retryStrategy: reconnectDelayMs,
  // A failover may turn our server into a replica while the connection stays: look for the new master.
  reconnectOnError: (error: Error) => error.message.includes('READONLY'),
  role: 'master',
  readOnly: false,
  monitor: false,
  sentinelCommandTimeout: CALL_TIMEOUT_MS / 2,
  sentinelRetryStrategy: reconnectDelayMs,
} satisfies RedisOptions

const CLUSTER_OPTIONS = {
  keyPrefix: '',
  lazyConnect: true,
  // The queue meant here is each node's, while it connects; the Cluster's own is never used, since we wait for 'ready'.
  enableOfflineQueue: true,
  // ioredis pipelines per group of slots, and during a resharding gives MOVED errors of such a pipeline to the caller.
  enableAutoPipelining: false,
  scaleReads: 'master',
  clusterRetryStrategy: reconnectDelayMs,
  slotsRefreshTimeout: CALL_TIMEOUT_MS,
  // 0: a command whose connection broke is not sent again, it may have run.
  retryDelayOnFailover: 0,
  redisOptions: NODE_OPTIONS,
} satisfies ClusterOptions

/**
 * Opens our own connection, at the first call. A client that was passed in is duplicated with our settings and never
 * touched again.
 */
export function connectRedis(source: RedisSource): RedisConnection {
  const client = toOwnClient(source)
  let connectionError: unknown
  let becomingReady: Promise<void> | undefined
  let hastyUntil = 0
  let closing: Promise<void> | undefined

  client.on('error', (error: unknown) => {
    connectionError = error
  })
  client.on('ready', () => {
    connectionError = undefined
  })

  function untilReady(): Promise<void> {
    if (client.status === 'wait') client.connect().catch(() => {}) // the 'error' listener hears why
    becomingReady ??= new Promise((resolve) => {
      client.once('ready', () => {
        becomingReady = undefined
        resolve()
      })
    })
    return becomingReady
  }

  async function attempt<T>(command: (client: ScriptedClient) => Promise<T>, isOver: () => boolean): Promise<T> {
    if (client.status !== 'ready') await untilReady()
    if (isOver()) throw new RedisTimeout() // its caller is gone: do not run it late
    return command(client)
  }

  return {
    isCluster: client.isCluster,
    async run(operation, command) {
      if (closing !== undefined) throw new PpoppoError('closed', 'The store is closed: auth.close() was called.')
      const timeoutMs = performance.now() < hastyUntil ? HASTY_CALL_TIMEOUT_MS : CALL_TIMEOUT_MS
      try {
        const result = await within(timeoutMs, (isOver) => attempt(command, isOver))
        hastyUntil = 0
        return result
      } catch (error) {
        if (error instanceof RedisTimeout) hastyUntil = performance.now() + HASTE_MS
        throw toStoreError(operation, error, connectionError)
      }
    },
    masters: () => (isCluster(client) ? client.nodes('master') : [client]),
    close(): Promise<void> {
      closing ??= within(CLOSE_TIMEOUT_MS, async () => {
        if (client.status === 'ready') await client.quit()
      })
        .catch(() => {})
        .then(() => {
          if (client.status !== 'end') client.disconnect()
        })
      return closing
    },
  }
}

function toOwnClient(source: RedisSource): ScriptedClient {
  const client = typeof source === 'string' ? openUrl(source) : duplicate(source)
  for (const [name, script] of Object.entries(REDIS_SCRIPTS)) client.defineCommand(name, script)
  return client as ScriptedClient // defineCommand has just put the commands there
}

function duplicate(source: Redis | Cluster): Redis | Cluster {
  return isCluster(source) ? source.duplicate([], CLUSTER_OPTIONS) : source.duplicate(REDIS_OPTIONS)
}

/** ioredis is loaded only here: who passes a client has it, and who uses the memory store needs none. */
function openUrl(url: string): Redis {
  const { Redis: Client }: typeof import('ioredis') = createRequire(import.meta.url)('ioredis')
  return new Client(url, REDIS_OPTIONS)
}

/** By its own mark: an app may have another copy of ioredis than we see, so `instanceof` would not do. */
function isCluster(client: Redis | Cluster): client is Cluster {
  return client.isCluster
}

function within<T>(timeoutMs: number, task: (isOver: () => boolean) => Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    let isOver = false
    const timer = setTimeout(() => {
      isOver = true
      reject(new RedisTimeout(`no answer within ${timeoutMs} ms`))
    }, timeoutMs)
    task(() => isOver)
      .then(resolve, reject)
      .finally(() => clearTimeout(timer))
  })
}
