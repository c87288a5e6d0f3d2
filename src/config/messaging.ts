import { inspect } from 'node:util'
import { deepFreeze } from '../lib/deep-freeze.js'
import { isPlainObject, isWholeNumber } from '../lib/guards.js'
import { trimEndOf } from '../lib/trim-end.js'
import { LONGEST_TIMER_MS } from '../lib/wait.js'
import { parseChannelOptions } from './channel.js'
import { parseFetch, parseKeyPrefix } from './checks.js'
import { checkKeys, createSource, Faults, label, MESSAGING_VARIABLES } from './environment-variables.js'
import type { MessagingConfig, MessagingOptions } from './messaging-options.js'
import { parseRedis } from './redis.js'
import { isSecure, parseEnvironment, parseUrl } from './urls.js'

/** PCS and PAS's token endpoint by environment (*Messaging reference*). */
export const MESSAGING_URLS = {
  production: { apiUrl: 'https://api.ppoppo.com/ext', tokenUrl: 'https://accounts.ppoppo.com/oauth/token' },
  sandbox: {
    apiUrl: 'https://api.sandbox.ppoppo.com/ext',
    tokenUrl: 'https://accounts.sandbox.ppoppo.com/oauth/token',
  },
  local: { apiUrl: 'http://localhost:3203', tokenUrl: 'http://localhost:3100/oauth/token' },
} as const

const OPTION_NAMES = Object.keys({
  apiUrl: true,
  tokenUrl: true,
  clientId: true,
  clientSecret: true,
  environment: true,
  descriptor: true,
  keepalive: true,
  deadlineMs: true,
  maxAttempts: true,
  fetch: true,
  grpcChannelOptions: true,
  redis: true,
  keyPrefix: true,
} satisfies Record<keyof MessagingOptions, true>)

/** An id and its secret. When it is printed, it shows only the id. */
class MessagingCredentials {
  readonly clientId: string
  readonly #clientSecret: string

  constructor(clientId: string, clientSecret: string) {
    this.clientId = clientId
    this.#clientSecret = clientSecret
  }

  get clientSecret(): string {
    return this.#clientSecret
  }

  toJSON(): object {
    return { clientId: this.clientId }
  }

  [inspect.custom](): object {
    return this.toJSON()
  }
}

/**
 * Checks options and environment of the Messaging client.
 *
 * @param options what the app passed to `createMessaging()`; an option wins over its variable
 * @param env the environment, e.g. `process.env`; empty variables count as not set
 * @returns checked, complete and frozen, except for a Redis client that was passed in. Without an id or a secret it has no
 *   `credentials`, and `missing` names them
 * @throws PpoppoError `config_invalid`: all faults at once, one per line, with the names of option and variable, never a value
 *
 * @example resolveMessagingConfig({ environment: 'local' }, process.env).apiUrl // 'http://localhost:3203'
 */
export function resolveMessagingConfig(options: MessagingOptions, env: NodeJS.ProcessEnv): MessagingConfig {
  const faults = messagingFaults()
  const config = parseMessagingConfig(options, env, faults)
  faults.throwIfAny()
  return deepFreeze<MessagingConfig>(config)
}

/**
 * Collects faults under the names of the Messaging client's options and variables.
 * @param names what a fault calls an option instead, e.g. `{ apiUrl: '<url>' }` if it is the argument of a command
 */
export function messagingFaults(names: Readonly<Partial<Record<keyof MessagingOptions, string>>> = {}): Faults {
  return new Faults(MESSAGING_VARIABLES, 'Messaging', names)
}

/** As {@link resolveMessagingConfig}, for a larger configuration that throws and freezes itself. */
export function parseMessagingConfig(options: unknown, env: NodeJS.ProcessEnv, faults: Faults): MessagingConfig {
  const given = toOptions(options, faults)
  const { value } = createSource<keyof MessagingOptions>({ options: given, variables: MESSAGING_VARIABLES, env })

  const urls = MESSAGING_URLS[parseEnvironment(value('environment'), faults)]
  const clientId = parseClientId(value('clientId'), faults)
  const clientSecret = parseClientSecret(value('clientSecret'), faults)
  const missing = (['clientId', 'clientSecret'] as const).filter((name) => value(name) === undefined)
  const [half, ...rest] = missing
  if (half !== undefined && rest.length === 0)
    faults.add(half, `is missing, and ${otherHalf(half)} is useless without it`)
  const redis = parseRedis(value('redis'), faults)
  const descriptor = parseDescriptor(value('descriptor'), faults)

  return {
    apiUrl: parseApiUrl(value('apiUrl') ?? urls.apiUrl, faults),
    tokenUrl: parseTokenUrl(value('tokenUrl') ?? urls.tokenUrl, faults),
    ...(clientId && clientSecret ? { credentials: new MessagingCredentials(clientId, clientSecret) } : {}),
    missing: missing.map((name) => label(name, MESSAGING_VARIABLES)),
    ...(descriptor === undefined ? {} : { descriptor }),
    keepalive: parseKeepalive(value('keepalive'), faults),
    deadlineMs: positive('deadlineMs', value('deadlineMs'), { otherwise: 20_000, most: LONGEST_TIMER_MS }, faults),
    maxAttempts: positive('maxAttempts', value('maxAttempts'), { otherwise: 4, most: 100 }, faults),
    ...parseFetch(value('fetch'), faults),
    ...parseChannelOptions(value('grpcChannelOptions'), faults),
    ...(redis === undefined ? {} : { redis }),
    keyPrefix: parseKeyPrefix(value('keyPrefix') ?? 'ppoppo:', faults),
  }
}

function toOptions(options: unknown, faults: Faults): Readonly<Record<string, unknown>> {
  if (options === undefined) return {}
  if (!isPlainObject(options)) {
    faults.add('options', 'must be an object: createMessaging({ clientId, clientSecret })')
    return {}
  }
  checkKeys(options, OPTION_NAMES, '', faults)
  return options
}

/** Its path is put before every gRPC path, so it may only contain characters that need no escaping. */
function parseApiUrl(value: unknown, faults: Faults): string {
  const url = parseUrl(value)
  if (url === undefined || !/^[\w./~-]*$/.test(url.pathname)) {
    faults.add('apiUrl', 'must be a URL such as "https://api.ppoppo.com/ext", without query or fragment')
  } else refusePlaintext('apiUrl', url, 'the access token', faults)
  return url === undefined ? '' : `${url.origin}${trimEndOf(url.pathname, '/')}`
}

function parseTokenUrl(value: unknown, faults: Faults): string {
  const url = parseUrl(value)
  if (url === undefined || url.pathname === '/') {
    faults.add('tokenUrl', 'must be the full token endpoint, such as "https://accounts.ppoppo.com/oauth/token"')
  } else refusePlaintext('tokenUrl', url, 'the client secret', faults)
  return url?.href ?? ''
}

function refusePlaintext(option: string, url: URL, what: string, faults: Faults): void {
  if (isSecure(url)) return
  faults.add(
    option,
    `must be https: over http, anyone on the network can read ${what}; http is allowed on localhost only`,
  )
}

/** RFC 6749 appendix A.1. */
function parseClientId(value: unknown, faults: Faults): string | undefined {
  return parseCredential('clientId', value, faults)
}

/** RFC 6749 appendix A.2. */
function parseClientSecret(value: unknown, faults: Faults): string | undefined {
  return parseCredential('clientSecret', value, faults)
}

/** Visible ASCII. A space inside is legal; one at either end is probably a copying mistake. */
function parseCredential(name: 'clientId' | 'clientSecret', value: unknown, faults: Faults): string | undefined {
  if (value === undefined) return undefined
  if (typeof value !== 'string' || !/^[\x20-\x7e]{1,1000}$/.test(value)) {
    return faults.add(name, 'must be exactly as Ppoppo issued it: one line of 1 to 1,000 visible ASCII characters')
  }
  return value === value.trim() ? value : faults.add(name, 'begins or ends with a space that is not part of it')
}

function otherHalf(half: 'clientId' | 'clientSecret'): string {
  return half === 'clientId' ? 'a secret' : 'an id'
}

function parseDescriptor(value: unknown, faults: Faults): MessagingConfig['descriptor'] {
  if (value === undefined || isDescriptorPart(value)) return value
  if (Array.isArray(value) && value.length > 0 && value.every(isDescriptorPart)) return [...value]
  return faults.add(
    'descriptor',
    'must be the path of a .proto file, of a folder of them or of a descriptor set, the bytes of a descriptor set, or a list of these',
  )
}

function isDescriptorPart(value: unknown): value is string | Uint8Array {
  return typeof value === 'string' ? value !== '' : value instanceof Uint8Array && value.byteLength > 0
}

function parseKeepalive(value: unknown, faults: Faults): MessagingConfig['keepalive'] {
  if (value !== undefined && !isPlainObject(value)) faults.add('keepalive', 'must be { timeMs, timeoutMs }')
  const given = isPlainObject(value) ? value : {}
  checkKeys(given, ['timeMs', 'timeoutMs'], 'keepalive.', faults)
  return {
    timeMs: positive('keepalive.timeMs', given['timeMs'], { otherwise: 60_000, most: LONGEST_TIMER_MS }, faults),
    timeoutMs: positive(
      'keepalive.timeoutMs',
      given['timeoutMs'],
      { otherwise: 20_000, most: LONGEST_TIMER_MS },
      faults,
    ),
  }
}

function positive(
  option: string,
  value: unknown,
  { otherwise, most }: { readonly otherwise: number; readonly most: number },
  faults: Faults,
): number {
  if (value === undefined) return otherwise
  if (isWholeNumber(value, 1, most)) return value
  faults.add(option, `must be a positive integer, ${most.toLocaleString('en')} at most`)
  return otherwise
}
