import { deepFreeze } from '../lib/deep-freeze.js'
import { isPlainObject } from '../lib/guards.js'
import { isLoopback } from '../lib/loopback.js'
import { nearest } from '../lib/nearest.js'
import {
  parseAuthorizationParams,
  parseBoolean,
  parseFetch,
  parseFunction,
  parseKeepAnonymous,
  parseKeyPrefix,
  parseRateLimit,
  parseScope,
  parseSession,
  parseTexts,
} from './checks.js'
import { checkKeys, createSource, Faults, type Source } from './environment.js'
import { messagingFaults, parseMessagingConfig } from './messaging.js'
import type { MessagingConfig } from './messaging-options.js'
import type { Config, PpoppoOptions } from './options.js'
import { parsePublicPaths } from './paths.js'
import { oneOfSeveral } from './processes.js'
import { parseRedis } from './redis.js'
import { parseSessionSecrets, parseVaultKeys, type ReportWeak, requireInProduction } from './secrets.js'
import {
  type Environment,
  environmentWarnings,
  ISSUERS,
  isCleanText,
  parseIssuer,
  parseOrigin,
  parseOrigins,
  parseResource,
} from './urls.js'

/** Every option; the compiler keeps the list whole. */
const OPTION_NAMES = Object.keys({
  clientId: true,
  baseUrl: true,
  environment: true,
  issuer: true,
  idTokenIssuer: true,
  scope: true,
  resource: true,
  appName: true,
  authorizationParams: true,
  mountPath: true,
  basePath: true,
  strippedPrefix: true,
  redis: true,
  keyPrefix: true,
  allowMemoryStore: true,
  sessionSecret: true,
  vaultKeys: true,
  session: true,
  keepAnonymous: true,
  allowedReturnOrigins: true,
  trustedOrigins: true,
  rateLimit: true,
  onSignIn: true,
  onSignOut: true,
  onEvent: true,
  texts: true,
  fetch: true,
  messaging: true,
} satisfies Record<keyof PpoppoOptions, true>)

/**
 * Checks options and environment and makes the one configuration of them. Nothing else in the library reads either.
 *
 * @param options what the app passed to `ppoppo()`; an option wins over its variable
 * @param env the environment, e.g. `process.env`; empty variables count as not set
 * @returns checked, complete and frozen all the way down, but for a Redis client passed in
 * @throws PpoppoError `config_invalid`: all faults at once, a line each, by option and variable name, never a value
 *
 * @example resolveConfig({ clientId: 'acme_login_client', baseUrl: 'http://localhost:3000' }, process.env).redirectUri
 */
export function resolveConfig(options: PpoppoOptions, env: NodeJS.ProcessEnv): Config {
  const faults = new Faults()
  const given = toOptions(options, faults)
  const source = createSource(given, env)
  const warnings: string[] = []

  const clientId = parseClientId(source.value('clientId'), faults)
  const origin = parseRequiredOrigin(source, faults)
  const isHttps = origin === undefined ? undefined : origin.protocol === 'https:'
  const isProduction = env['NODE_ENV'] === 'production' || (origin !== undefined && !isLoopback(origin.hostname))
  const { mountPath, strippedPrefix } = given
  const paths = parsePublicPaths({ mountPath, strippedPrefix, basePath: source.value('basePath') }, faults)
  const resource = parseResource(given.resource, faults)
  const redis = parseRedis(source.value('redis'), faults)
  const keyPrefix = parseKeyPrefix(given.keyPrefix ?? 'ppoppo:', faults)

  const config = {
    clientId,
    origin: origin?.origin ?? '',
    isHttps: isHttps ?? false,
    isProduction,
    ...parseProvider(source, faults, warnings),
    warnings,
    scope: parseScope(source.value('scope') ?? 'openid profile', faults),
    ...(resource === undefined ? {} : { resource }),
    ...parseAuthorizationParams(given.authorizationParams, faults),
    ...paths,
    homeUrl: `${origin?.origin ?? ''}${paths.basePath}/`,
    appName: parseAppName(given.appName, faults) ?? origin?.host ?? '',
    redirectUri: `${origin?.origin ?? ''}${paths.mountPath}/callback`,
    ...(redis === undefined ? oneOfSeveral(env) : { redis }),
    keyPrefix,
    ...parseSecrets(source, isProduction, faults, warnings),
    ...parseSession(given.session, isHttps, faults),
    keepAnonymous: parseKeepAnonymous(given.keepAnonymous, faults),
    allowedReturnOrigins: parseOrigins(given.allowedReturnOrigins, 'allowedReturnOrigins', origin?.origin, faults),
    trustedOrigins: parseOrigins(given.trustedOrigins, 'trustedOrigins', origin?.origin, faults),
    rateLimit: parseRateLimit(given.rateLimit, source.value('rateLimit'), faults),
    ...parseFunction('onSignIn', given, faults),
    ...parseFunction('onSignOut', given, faults),
    ...parseFunction('onEvent', given, faults),
    ...parseFetch(given.fetch, faults),
    texts: parseTexts(given.texts, faults),
    messaging: parseMessaging(
      given.messaging,
      { environment: source.value('environment'), redis, keyPrefix, fetch: given.fetch },
      env,
      faults,
    ),
  } satisfies Config

  refuseMemoryInProduction(source, given, isProduction, faults)
  faults.throwIfAny()
  return deepFreeze<Config>(config)
}

/** One line of text that can be seen, as Hangul fillers cannot, and does not turn the line around it the other way. */
function parseAppName(value: unknown, faults: Faults): string | undefined {
  if (value === undefined) return undefined
  const name = typeof value === 'string' ? value.normalize('NFC').trim() : ''
  const isOneLine = !/[\p{Cc}\p{Zl}\p{Zp}\u200e\u200f\u202a-\u202e\u2066-\u2069]/u.test(name)
  if (isOneLine && /(?![\u115f\u1160\u3164\uffa0])[\p{L}\p{N}]/u.test(name) && [...name].length <= 60) return name
  return faults.add('appName', 'must be the name of your site: 1 to 60 characters on one line, with a letter or digit')
}

/** The options as an object with known names only. */
function toOptions(options: unknown, faults: Faults): PpoppoOptions {
  if (options === undefined) return {}
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    faults.add('options', 'must be an object: ppoppo({ clientId, baseUrl })')
    return {}
  }
  checkKeys(options, OPTION_NAMES, '', faults)
  return options
}

function parseClientId(value: unknown, faults: Faults): string {
  if (value === undefined) {
    faults.addMissing('clientId', 'is required: the id of your login client, registered at Ppoppo')
  } else if (!isCleanText(value) || !/^[\x21-\x7e]{1,200}$/.test(value)) {
    faults.add('clientId', 'must be the id of your login client: 1 to 200 visible ASCII characters, no spaces')
  }
  return typeof value === 'string' ? value : ''
}

function parseRequiredOrigin(source: Source, faults: Faults): URL | undefined {
  const value = source.value('baseUrl')
  if (value !== undefined) return parseOrigin(value, 'baseUrl', faults)
  return faults.addMissing('baseUrl', 'is required: the public origin of your app, such as "https://app.example"')
}

/** Which PAS, and what it calls itself. */
function parseProvider(source: Source, faults: Faults, warnings: string[]): Pick<Config, 'issuer' | 'idTokenIssuer'> {
  const environment = parseEnvironment(source.value('environment'), faults)
  const issuer = parseIssuer(source.value('issuer') ?? ISSUERS[environment], faults) ?? ''
  const given = source.option('idTokenIssuer')
  const idTokenIssuer = isCleanText(given) ? given : issuer
  if (given !== undefined && !isCleanText(given)) {
    faults.add('idTokenIssuer', 'must be a text without spaces: the "iss" of id_tokens, character for character')
  }
  warnings.push(...environmentWarnings(environment, issuer, idTokenIssuer))
  return { issuer, idTokenIssuer }
}

/** The Messaging client's part. It takes our environment, where that is one, our Redis and our fetch. */
function parseMessaging(
  given: PpoppoOptions['messaging'],
  ours: Readonly<Record<'environment' | 'redis' | 'fetch', unknown>> & Pick<Config, 'keyPrefix'>,
  env: NodeJS.ProcessEnv,
  faults: Faults,
): MessagingConfig {
  const own = messagingFaults()
  const { environment, redis, keyPrefix, fetch } = ours
  const isKnown = typeof environment === 'string' && Object.hasOwn(ISSUERS, environment)
  const defaults = {
    environment: isKnown ? environment : 'production',
    ...(redis === undefined ? {} : { redis }),
    ...(keyPrefix === '' ? {} : { keyPrefix }),
    // Where it is none, that is said once.
    ...(typeof fetch === 'function' ? { fetch } : {}),
  }
  const options = isPlainObject(given) || !given ? { ...defaults, ...given } : given
  // REDIS_URL is ours already, or was found faulty.
  const config = parseMessagingConfig(options, { ...env, REDIS_URL: undefined }, own)
  faults.include('messaging', own)
  return config
}

function parseEnvironment(value: unknown, faults: Faults): Environment {
  if (value === undefined) return 'production'
  const names = Object.keys(ISSUERS) as Environment[]
  const known = names.find((name) => name === value)
  if (known === undefined) {
    const meant = typeof value === 'string' ? nearest(value, names) : undefined
    const hint = meant === undefined ? '' : `; did you mean ${meant}?`
    faults.add('environment', `must be one of ${names.join(', ')}${hint}`)
  }
  return known ?? 'production'
}

function parseSecrets(
  source: Source,
  isProduction: boolean,
  faults: Faults,
  warnings: string[],
): Pick<Config, 'sessionSecrets' | 'vaultKeys'> {
  const secrets = source.list('sessionSecret')
  const keys = source.list('vaultKeys')
  if (isProduction) {
    // With `session: false` the app's own session is signed by the app.
    if (source.option('session') !== false) requireInProduction('sessionSecret', secrets, faults)
    requireInProduction('vaultKeys', keys, faults)
  }
  const report: ReportWeak = (option, problem) => {
    if (isProduction) faults.add(option, problem)
    else warnings.push(`"${option}" ${problem}`)
  }
  const sessionSecrets = parseSessionSecrets(secrets, faults, report)
  const vaultKeys = parseVaultKeys(keys, faults, report)
  return {
    ...(sessionSecrets === undefined ? {} : { sessionSecrets }),
    ...(vaultKeys === undefined ? {} : { vaultKeys }),
  }
}

function refuseMemoryInProduction(source: Source, given: PpoppoOptions, isProduction: boolean, faults: Faults): void {
  const isAllowed = parseBoolean('allowMemoryStore', given.allowMemoryStore, false, faults)
  if (!isProduction || isAllowed || source.value('redis') !== undefined) return
  faults.addMissing(
    'redis',
    'is required in production; for one process that may forget everyone at a restart, set "allowMemoryStore" to true',
  )
}
