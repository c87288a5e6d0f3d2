import { deepFreeze } from '../lib/deep-freeze.js'
import { isPlainObject } from '../lib/guards.js'
import { isLoopback } from '../lib/loopback.js'
import {
  parseAppName,
  parseAuthorizationParams,
  parseBoolean,
  parseClientId,
  parseFetch,
  parseFunction,
  parseKeepAnonymous,
  parseKeyPrefix,
  parseRateLimit,
  parseScope,
  parseSession,
  parseTexts,
} from './checks.js'
import { checkKeys, createSource, Faults, type Source, VARIABLES } from './environment-variables.js'
import { messagingFaults, parseMessagingConfig } from './messaging.js'
import type { MessagingConfig } from './messaging-options.js'
import type { Config, ConfigWarning, PpoppoOptions } from './options.js'
import { parsePublicPaths } from './paths.js'
import { oneOfSeveral } from './processes.js'
import { parseRedis } from './redis.js'
import { parseSessionSecrets, parseVaultKeys, type ReportWeak, requireInProduction } from './secrets.js'
import {
  environmentWarnings,
  ISSUERS,
  isCleanText,
  parseEnvironment,
  parseIssuer,
  parseOrigin,
  parseOrigins,
  parseResource,
} from './urls.js'

const WEAK = { sessionSecret: 'session_secret_weak', vaultKeys: 'vault_keys_weak' } as const

type PpoppoSource = Source<keyof PpoppoOptions>

/** Every option; the compiler keeps the list complete. */
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
 * Checks options and environment, and makes the configuration. Nothing else in the library reads either of them.
 *
 * @param options what the app passed to `ppoppo()`; an option wins over its variable
 * @param env the environment, e.g. `process.env`; empty variables count as not set
 * @returns checked, complete and deeply frozen, except for a Redis client that was passed in
 * @throws PpoppoError `config_invalid`: all faults at once, one per line, with the names of option and variable, never a value
 *
 * @example resolveConfig({ clientId: 'acme_login_client', baseUrl: 'http://localhost:3000' }, process.env).redirectUri
 */
export function resolveConfig(options: PpoppoOptions, env: NodeJS.ProcessEnv): Config {
  const { config, faults } = examineConfig(options, env)
  faults.throwIfAny()
  return deepFreeze<Config>(config)
}

/** As {@link resolveConfig}, but returns the faults: the parts of the configuration that they name are then not usable. */
export function examineConfig(
  options: PpoppoOptions,
  env: NodeJS.ProcessEnv,
): { readonly config: Config; readonly faults: Faults } {
  const faults = new Faults()
  const given = toOptions(options, faults)
  const source = createSource<keyof PpoppoOptions>({ options: given, variables: VARIABLES, env })
  const warnings: ConfigWarning[] = []

  const clientId = parseClientId(source.value('clientId'), faults)
  const origin = parseRequiredOrigin(source, faults)
  const isHttps = origin === undefined ? undefined : origin.protocol === 'https:'
  const isProduction = env['NODE_ENV'] === 'production' || (origin !== undefined && !isLoopback(origin.hostname))
  const [mountPath, basePath, strippedPrefix] = (['mountPath', 'basePath', 'strippedPrefix'] as const).map(source.value)
  const paths = parsePublicPaths({ mountPath, basePath, strippedPrefix }, faults)
  const resource = parseResource(source.value('resource'), faults)
  const redis = parseRedis(source.value('redis'), faults)
  const keyPrefix = parseKeyPrefix(source.value('keyPrefix') ?? 'ppoppo:', faults)

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
    appName: parseAppName(source.value('appName'), faults) ?? origin?.host ?? '',
    redirectUri: `${origin?.origin ?? ''}${paths.mountPath}/callback`,
    ...(redis === undefined ? oneOfSeveral(env) : { redis }),
    keyPrefix,
    ...parseSecrets(source, isProduction, faults, warnings),
    ...parseSession(given.session, isHttps, faults),
    keepAnonymous: parseKeepAnonymous(source.list('keepAnonymous'), faults),
    allowedReturnOrigins: parseOrigins(
      source.list('allowedReturnOrigins'),
      'allowedReturnOrigins',
      origin?.origin,
      faults,
    ),
    trustedOrigins: parseOrigins(source.list('trustedOrigins'), 'trustedOrigins', origin?.origin, faults),
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
  return { config, faults }
}

/** Options with known names only. */
function toOptions(options: unknown, faults: Faults): PpoppoOptions {
  if (options === undefined) return {}
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    faults.add('options', 'must be an object: ppoppo({ clientId, baseUrl })')
    return {}
  }
  checkKeys(options, OPTION_NAMES, '', faults)
  return options
}

function parseRequiredOrigin(source: PpoppoSource, faults: Faults): URL | undefined {
  const value = source.value('baseUrl')
  if (value !== undefined) return parseOrigin(value, 'baseUrl', faults)
  return faults.addMissing('baseUrl', 'is required: the public origin of your app, such as "https://app.example"')
}

/** The URL of PAS, and the issuer it names in id_tokens. */
function parseProvider(
  source: PpoppoSource,
  faults: Faults,
  warnings: ConfigWarning[],
): Pick<Config, 'issuer' | 'idTokenIssuer'> {
  const environment = parseEnvironment(source.value('environment'), faults)
  const issuer = parseIssuer(source.value('issuer') ?? ISSUERS[environment], faults) ?? ''
  const given = source.value('idTokenIssuer')
  const idTokenIssuer = isCleanText(given) ? given : issuer
  if (given !== undefined && !isCleanText(given)) {
    faults.add('idTokenIssuer', 'must be a string without spaces: the "iss" of id_tokens, character for character')
  }
  const mixed = environmentWarnings(environment, issuer, idTokenIssuer)
  warnings.push(...mixed.map((detail) => ({ code: 'environment_mixed', detail }) as const))
  return { issuer, idTokenIssuer }
}

/** The configuration of the Messaging client. Its environment, Redis and fetch default to ours. */
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
    // If it is not a function, that is reported once.
    ...(typeof fetch === 'function' ? { fetch } : {}),
  }
  const options = isPlainObject(given) || !given ? { ...defaults, ...given } : given
  // REDIS_URL is in `defaults` already, or has been reported.
  const config = parseMessagingConfig(options, { ...env, REDIS_URL: undefined }, own)
  faults.include('messaging', own)
  return config
}

function parseSecrets(
  source: PpoppoSource,
  isProduction: boolean,
  faults: Faults,
  warnings: ConfigWarning[],
): Pick<Config, 'sessionSecrets' | 'vaultKeys'> {
  const secrets = source.list('sessionSecret')
  const keys = source.list('vaultKeys')
  if (isProduction) {
    // With `session: false`, the app signs its own session cookie.
    if (source.value('session') !== false) requireInProduction('sessionSecret', secrets, faults)
    requireInProduction('vaultKeys', keys, faults)
  }
  const report: ReportWeak = (option, problem) => {
    if (isProduction) faults.add(option, problem)
    else warnings.push({ code: WEAK[option], detail: `"${option}" ${problem}` })
  }
  const sessionSecrets = parseSessionSecrets(secrets, faults, report)
  const vaultKeys = parseVaultKeys(keys, faults, report)
  return {
    ...(sessionSecrets === undefined ? {} : { sessionSecrets }),
    ...(vaultKeys === undefined ? {} : { vaultKeys }),
  }
}

function refuseMemoryInProduction(
  source: PpoppoSource,
  given: PpoppoOptions,
  isProduction: boolean,
  faults: Faults,
): void {
  const isAllowed = parseBoolean('allowMemoryStore', given.allowMemoryStore, false, faults)
  if (!isProduction || isAllowed || source.value('redis') !== undefined) return
  faults.addMissing(
    'redis',
    'is required in production; for a single process that may lose all sign-ins at a restart, set "allowMemoryStore" to true',
  )
}
