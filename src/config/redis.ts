import { isIPv6 } from 'node:net'
import { nearest } from '../lib/nearest.js'
import type { Faults } from './environment-variables.js'
import type { Config } from './options.js'

/** The server that a Redis URL names. */
export interface RedisAddress {
  /** A name or an IP address, IPv6 without brackets. */
  readonly host: string
  readonly port: number
  readonly username?: string
  readonly password?: string
  readonly db: number
  readonly tls: boolean
  /** IP version for name lookups; 0 for both. */
  readonly family?: 0 | 4 | 6
}

const DEFAULT_PORT = 6379
const FORM = 'redis://user:password@host:6379/0'
const CLIENT = 'pass an ioredis client as "redis"'
const ENCODE = 'write special characters of user and password percent-encoded ("/" is %2F, "?" %3F, "#" %23, "@" %40)'

/** Other URL schemes and spellings, and what to do instead. The first match counts. */
const OTHER_SCHEMES: readonly (readonly [RegExp, string])[] = [
  [/^["'`]/, 'must not be in quotes'],
  [/^valkeys?:/i, 'must begin with redis:// (rediss:// for TLS); Valkey is reached in the same way'],
  [/^(redis[+-]?sentinel|sentinel)s?:/i, `names Sentinels: ${CLIENT}, new Redis({ sentinels, name })`],
  [/^redis[+-]cluster:/i, `names a Cluster: ${CLIENT}, new Cluster([{ host, port }])`],
  [/^(unix:|redis[+-](unix|socket)|\.{0,2}\/(?!\/))/i, `names a Unix socket: ${CLIENT}, new Redis({ path })`],
  [/^(rediss?[+-](tls|ssl)|tls|ssl):/i, 'must begin with rediss:// for TLS'],
  [/^rediss?:/i, `must have two slashes after the scheme: ${FORM}`],
]

/** Query parameters that people write, and where their value belongs. */
const BELONGS: Readonly<Record<string, string>> = {
  db: 'write the database as the path: redis://host/2',
  database: 'write the database as the path: redis://host/2',
  keyprefix: 'set the option "keyPrefix"',
  password: `write it before the host: ${FORM}`,
  username: `write it before the host: ${FORM}`,
  ssl: 'write rediss:// for TLS',
  tls: 'write rediss:// for TLS',
}

/** An ioredis client or Cluster, or a URL; `undefined` for the memory store. */
export function parseRedis(value: unknown, faults: Faults): Config['redis'] {
  if (value === undefined) return undefined
  if (typeof value === 'string') {
    const address = parseRedisUrl(value)
    return typeof address === 'string' ? faults.add('redis', address) : value
  }
  const client = typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>) : {}
  // node-redis has `duplicate`, too, but its commands have other names and arguments.
  if ('isOpen' in client || 'isReady' in client) {
    return faults.add(
      'redis',
      'is a client of the "redis" package (node-redis); pass an ioredis client or a redis:// URL',
    )
  }
  if (typeof client['duplicate'] === 'function') return value as NonNullable<Config['redis']>
  return faults.add('redis', 'must be an ioredis client or Cluster, or a redis:// URL')
}

/**
 * Parses a Redis URL. ioredis is not used for this: it reads any query parameter as one of its options, which overrides
 * ours, and a path that is not a number as database 0.
 * @returns the address; or what is wrong and what to do, as the rest of a sentence that names the option. Of the URL it only
 *   quotes the name of a query parameter
 */
export function parseRedisUrl(text: string): RedisAddress | string {
  if (/[\s\p{Cc}\\]/u.test(text)) return 'must not contain spaces, line breaks or backslashes'
  const [, scheme = '', authority = '', rest = ''] = /^(rediss?):\/\/([^/?#]*)(.*)/is.exec(text) ?? []
  if (scheme === '') {
    const known = OTHER_SCHEMES.find(([pattern]) => pattern.test(text))?.[1]
    return known ?? `must be a redis:// or rediss:// (TLS) URL, such as ${FORM}`
  }
  if (rest.includes('@')) return `has an "@" after the host: ${ENCODE}`
  const at = authority.lastIndexOf('@')
  const user = parseUser(authority.slice(0, Math.max(at, 0)))
  if (typeof user === 'string') return user
  const place = parsePlace(authority.slice(at + 1))
  if (typeof place === 'string') return place
  const more = parseRest(rest)
  if (typeof more === 'string') return more
  return { ...place, ...user, ...more, tls: scheme.toLowerCase() === 'rediss' }
}

function parseUser(text: string): Pick<RedisAddress, 'username' | 'password'> | string {
  const colon = text.indexOf(':')
  try {
    const username = decodeURIComponent(colon < 0 ? text : text.slice(0, colon))
    const password = colon < 0 ? '' : decodeURIComponent(text.slice(colon + 1))
    return { ...(username === '' ? {} : { username }), ...(password === '' ? {} : { password }) }
  } catch {
    return 'has a "%" in its user or password that is not an escape: write a percent sign as %25'
  }
}

function parsePlace(text: string): Pick<RedisAddress, 'host' | 'port'> | string {
  if (text.includes(','))
    return `names several servers: ${CLIENT}, new Cluster([...]) or new Redis({ sentinels, name })`
  if (isBareIPv6(text)) return 'must have its IPv6 address in brackets: [::1]'
  const [, host = '', port] = /^(\[[^\]]*\]|[^:]*)(?::(.*))?$/.exec(text) ?? []
  const bare = host.startsWith('[') ? host.slice(1, -1) : host
  if (host === '') return `names no host, such as ${FORM}; ${ENCODE}`
  if (host.startsWith('[') ? !isIPv6(bare) : !/^[\w.-]{1,253}$/.test(host)) {
    return 'names a host that is neither a host name nor an IP address; does it still contain a placeholder?'
  }
  const number = port === undefined || port === '' ? DEFAULT_PORT : /^\d{1,5}$/.test(port) ? Number(port) : 0
  if (number < 1 || number > 65_535) return `must have a port from 1 to 65535 after the host; ${ENCODE}`
  return { host: bare, port: number }
}

/** Node makes its expression for IPv6 when first asked, which takes milliseconds of a start: hence the colons first. */
function isBareIPv6(text: string): boolean {
  return text.split(':').length > 2 && (isIPv6(text) || isIPv6(text.replace(/:\d+$/, '')))
}

/** What follows the host: `/<database>?family=<4 or 6>`. */
function parseRest(text: string): Pick<RedisAddress, 'db' | 'family'> | string {
  if (text.includes('#')) return `must not have a "#" after the host; ${ENCODE}`
  const [path = '', query = ''] = text.split(/\?(.*)/s)
  if (!/^(\/\d{0,5})?$/.test(path)) return 'must end with a database number, such as /0, or have no path'
  const parameters = new URLSearchParams(query)
  for (const name of parameters.keys()) if (name !== 'family') return refuseParameter(name)
  const family = parameters.get('family')
  if (family !== null && !/^[046]$/.test(family)) return 'must have 0, 4 or 6 as "family"'
  return { db: Number(path.slice(1)), ...(family === null ? {} : { family: Number(family) as 0 | 4 | 6 }) }
}

function refuseParameter(name: string): string {
  const shown = /^[A-Za-z_]\w{0,30}$/.test(name) ? `"${name}"` : '(odd name)'
  const key = name.toLowerCase()
  const place = Object.hasOwn(BELONGS, key) ? BELONGS[key] : undefined
  const meant = nearest(name, ['family']) === undefined ? `${CLIENT} for settings of its own` : 'did you mean "family"?'
  return `has the query parameter ${shown}, which is not supported: ${place ?? meant}`
}
