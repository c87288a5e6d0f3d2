import { isIP } from 'node:net'
import type { Cluster, ClusterOptions, Redis, RedisOptions } from 'ioredis'
import { parseRedisUrl } from '../../config/redis.js'
import { PpoppoError } from '../../errors.js'
import { loadIoredis } from '../../load-packages.js'

/** How long to wait before the next attempt to connect, in milliseconds. */
export const reconnectDelayMs = (attempt: number): number => Math.min(50 * attempt, 500)

/**
 * A client for a URL, not yet connected. Loads ioredis only here: an app that passes a client has it already, and the memory
 * store does not need it.
 * @throws `config_invalid` for a URL that cannot be read
 */
export function openUrl(url: string, settings: RedisOptions & { replyMapping: 'legacy' }): Redis {
  const address = parseRedisUrl(url)
  if (typeof address === 'string') throw new PpoppoError('config_invalid', `The URL of Redis ${address}.`)
  const { tls, ...where } = address
  const { Redis: Client } = loadIoredis()
  return new Client({
    ...where,
    ...(tls ? { tls: isIP(where.host) ? {} : { servername: where.host } } : {}),
    ...settings,
  })
}

/** Keeps the app's connection options (password, TLS, natMap, ...): ioredis 5 would drop a Cluster's `redisOptions`. */
export function duplicateCluster(
  source: Cluster,
  settings: ClusterOptions & { redisOptions: { replyMapping: 'legacy' } },
): Cluster {
  const redisOptions = { ...source.options.redisOptions, ...settings.redisOptions }
  return source.duplicate([], { ...settings, redisOptions })
}
