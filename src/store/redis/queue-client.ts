import { isIP } from 'node:net'
import type { Cluster, ClusterOptions, Redis, RedisOptions } from 'ioredis'
import { parseRedisUrl } from '../../config/redis.js'
import { PpoppoError } from '../../errors.js'
import { loadIoredis } from '../../load-packages.js'
import type { RedisSource } from './client.js'
import { isCluster } from './name.js'

const reconnectDelayMs = (attempt: number): number => Math.min(50 * attempt, 500)

/** What BullMQ needs. Our own client's settings (`client.ts`) are the opposite, and BullMQ would not complain. */
const QUEUE_OPTIONS = {
  keyPrefix: '', // its scripts build keys themselves
  maxRetriesPerRequest: null, // a blocking command waits as long as Redis is away
  enableOfflineQueue: true,
  autoResendUnfulfilledCommands: true,
  enableAutoPipelining: false,
  connectTimeout: 2_000,
  // A worker blocks for seconds, so silence is not a fault.
  commandTimeout: undefined,
  socketTimeout: undefined,
  stringNumbers: false,
  replyMapping: 'legacy',
} satisfies RedisOptions

const NODE_OPTIONS = {
  ...QUEUE_OPTIONS,
  lazyConnect: true,
  retryStrategy: reconnectDelayMs,
  reconnectOnError: (error: Error) => error.message.includes('READONLY'),
  role: 'master',
  readOnly: false,
  monitor: false,
} satisfies RedisOptions

const CLUSTER_OPTIONS = {
  keyPrefix: '',
  lazyConnect: true,
  enableOfflineQueue: true,
  enableAutoPipelining: false,
  scaleReads: 'master',
  clusterRetryStrategy: reconnectDelayMs,
} satisfies ClusterOptions

/** A connection for a queue: a duplicate of the app's client with the settings a queue needs. Not yet connected. */
export function createQueueClient(source: RedisSource): Redis | Cluster {
  const client = typeof source === 'string' ? openUrl(source) : duplicate(source)
  client.on('error', () => {}) // the queue gets the error too; without a listener ioredis prints it
  return client
}

function duplicate(source: Redis | Cluster): Redis | Cluster {
  if (!isCluster(source)) return source.duplicate(NODE_OPTIONS)
  const redisOptions = { ...source.options.redisOptions, ...QUEUE_OPTIONS }
  return source.duplicate([], { ...CLUSTER_OPTIONS, redisOptions })
}

function openUrl(url: string): Redis {
  const address = parseRedisUrl(url)
  if (typeof address === 'string') throw new PpoppoError('config_invalid', `The URL of Redis ${address}.`)
  const { tls, ...where } = address
  const { Redis: Client } = loadIoredis()
  return new Client({
    ...where,
    ...(tls ? { tls: isIP(where.host) ? {} : { servername: where.host } } : {}),
    ...NODE_OPTIONS,
  })
}
