import type { Cluster, ClusterOptions, Redis, RedisOptions } from 'ioredis'
import type { RedisSource } from './client.js'
import { isCluster } from './client-address.js'
import { duplicateCluster, openUrl, reconnectDelayMs } from './connect.js'

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
  redisOptions: QUEUE_OPTIONS,
} satisfies ClusterOptions

/** A connection for a queue: a duplicate of the app's client with the settings a queue needs. Not yet connected. */
export function createQueueClient(source: RedisSource): Redis | Cluster {
  const client = typeof source === 'string' ? openUrl(source, NODE_OPTIONS) : duplicate(source)
  client.on('error', () => {}) // the queue gets the error too; without a listener ioredis prints it
  return client
}

function duplicate(source: Redis | Cluster): Redis | Cluster {
  return isCluster(source) ? duplicateCluster(source, CLUSTER_OPTIONS) : source.duplicate(NODE_OPTIONS)
}
