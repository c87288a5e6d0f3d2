import type { Cluster, Redis } from 'ioredis'
import { parseRedisUrl } from '../../config/redis.js'

/** Where a server listens. */
export interface Place {
  readonly host: string
  readonly port: number
}

const DEFAULT_HOST = 'localhost'
const DEFAULT_PORT = 6379
const MAX_PLACES = 3

/** By its own mark: the app may use another copy of ioredis than ours, so `instanceof` would not work. */
export function isCluster(client: Redis | Cluster): client is Cluster {
  return client.isCluster
}

/** For messages: `'Redis at 127.0.0.1:6379'`; never with a password. */
export function nameOf(client: Redis | Cluster): string {
  if (isCluster(client)) return `The Redis Cluster at ${listOf(nodesOf(client))}`
  const { host, port, path, sentinels, name } = client.options
  if (sentinels) return `The Redis master "${name ?? ''}" (Sentinels: ${listOf(sentinels.map(toPlace))})`
  return `Redis at ${path || textOf(toPlace({ host, port }))}`
}

/** The first server to connect to (maybe a Sentinel), and whether by TLS; `undefined` for a Unix socket. */
export function firstPlace(client: Redis | Cluster): (Place & { readonly tls: boolean }) | undefined {
  const withTls = (place: Place | undefined, tls: unknown) => place && { ...place, tls: Boolean(tls) }
  if (isCluster(client)) return withTls(nodesOf(client)[0], client.options.redisOptions?.tls)
  const { path, sentinels, tls, sentinelTLS } = client.options
  if (sentinels) return withTls(toPlace(sentinels[0]), sentinelTLS)
  return path ? undefined : withTls(toPlace(client.options), tls)
}

/** Reads a member that ioredis declares private: nothing public holds a Cluster's startup nodes. */
function nodesOf(cluster: Cluster): readonly Place[] {
  const nodes: unknown = Reflect.get(cluster, 'startupNodes')
  return Array.isArray(nodes) ? nodes.map(toPlace) : []
}

/** A node as ioredis takes it: a port, a URL, or an object. */
function toPlace(node: unknown): Place {
  if (typeof node === 'number') return { host: DEFAULT_HOST, port: node }
  if (typeof node === 'string') {
    const address = parseRedisUrl(/^rediss?:\/\//i.test(node) ? node : `redis://${node}`)
    return typeof address === 'string' ? { host: '(unreadable)', port: DEFAULT_PORT } : address
  }
  const { host, port }: { host?: unknown; port?: unknown } = Object(node)
  return { host: typeof host === 'string' ? host : DEFAULT_HOST, port: Number(port ?? DEFAULT_PORT) }
}

function listOf(places: readonly Place[]): string {
  return places.slice(0, MAX_PLACES).map(textOf).join(', ') + (places.length > MAX_PLACES ? ', ...' : '')
}

function textOf({ host, port }: Place): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`
}
