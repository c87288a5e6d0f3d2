import { MESSAGING_VARIABLES, VARIABLES } from '../config/environment-variables.js'
import { MESSAGING_URLS } from '../config/messaging.js'
import { ISSUERS } from '../config/urls.js'
import { isLoopback } from '../lib/loopback.js'
import { nearest } from '../lib/nearest.js'
import { cookieNamesOf } from '../session/cookie-names.js'
import { toConfigFindings } from './config-faults.js'
import { finding } from './finding.js'
import { type DoctorSetup, isUsable } from './setup.js'
import type { Finding } from './types.js'

/** Checks what needs no network: names and values of the configuration. */
export function checkConfig(setup: DoctorSetup): readonly Finding[] {
  const faults = toConfigFindings(setup)
  return [
    ...faults,
    ...(faults.length === 0 ? [finding('config', { what: 'all options and variables are valid' })] : []),
    ...checkVariables(setup),
    ...checkClients(setup),
    ...checkBaseUrl(setup),
    ...checkCookie(setup),
    ...checkEnvironments(setup),
    ...checkMemoryStore(setup),
  ]
}

const KNOWN: readonly string[] = [...Object.values(VARIABLES), ...Object.values(MESSAGING_VARIABLES)]
/** Prefixes of Ppoppo's variables: another name that begins so is probably a misspelling. */
const OURS = /^(PPOPPO|PAS|PCS)_/
/** Names that people expect, because other providers have them. */
const NO_SUCH: Readonly<Record<string, string>> = {
  PPOPPO_CLIENT_SECRET:
    'The login client has no secret. The secret of the External API client belongs in PAS_PCS_CLIENT_SECRET.',
  PPOPPO_REDIRECT_URI:
    'The callback URL follows from PPOPPO_BASE_URL and "mountPath": there is no variable for it. Remove this one.',
}

/** Names that nothing reads, and values in quotes, as `docker run --env-file` leaves them. */
function checkVariables({ env }: DoctorSetup): readonly Finding[] {
  const set = Object.keys(env).filter((name) => (env[name] ?? '').trim() !== '')
  const unknown = set.filter((name) => OURS.test(name) && !KNOWN.includes(name)).map(unknownVariable)
  const quoted = set
    .filter((name) => KNOWN.includes(name) && /^(["'`]).*\1$/s.test(env[name]?.trim() ?? ''))
    .map((name) => finding('variable_quoted', quotedTexts(name)))
  const used = set.filter((name) => KNOWN.includes(name))
  if (unknown.length + quoted.length > 0 || used.length === 0) return [...unknown, ...quoted]
  return [finding('variables', { what: `read: ${used.sort().join(', ')}` })]
}

function unknownVariable(name: string): Finding {
  const meant = nearest(name, KNOWN)
  const hint =
    meant === undefined
      ? 'Remove it; the variables are in the README, under "Options".'
      : `Rename it to ${meant}, if that is what you mean.`
  return finding('variable_unknown', {
    what: `${name.slice(0, 60)} is set, but nothing reads a variable of that name`,
    fix: (Object.hasOwn(NO_SUCH, name) ? NO_SUCH[name] : undefined) ?? hint,
  })
}

function quotedTexts(name: string): { readonly what: string; readonly why: string; readonly fix: string } {
  return {
    what: `${name} is in quotes, and the quotes are part of its value`,
    why: 'A shell and "node --env-file" remove quotes; "docker run --env-file" and most consoles do not.',
    fix: 'Remove the quotes.',
  }
}

function checkClients({ config }: DoctorSetup): readonly Finding[] {
  if (config.clientId === '' || config.clientId !== config.messaging.credentials?.clientId) return []
  return [
    finding('clients_same', {
      what: 'PPOPPO_CLIENT_ID and PAS_PCS_CLIENT_ID are the same',
      why: 'Ppoppo has two kinds of clients: the login client, which has no secret, and the External API client, which sends messages.',
      fix: 'Set PPOPPO_CLIENT_ID to the id of the login client, and PAS_PCS_CLIENT_ID to that of the External API client.',
    }),
  ]
}

function checkBaseUrl(setup: DoctorSetup): readonly Finding[] {
  const { config, env } = setup
  if (!isUsable(setup, ['baseUrl', 'basePath', 'mountPath'])) return []
  const isLocal = isLoopback(new URL(config.origin).hostname)
  const isProduction = env['NODE_ENV'] === 'production'
  if (isLocal && isProduction) {
    return [
      finding('base_url_local', {
        what: `NODE_ENV is production, but the base URL is ${config.origin}`,
        why: 'Visitors would be sent to their own machine after they sign in.',
        fix: 'Set PPOPPO_BASE_URL to the public origin of the app, or NODE_ENV to development.',
      }),
    ]
  }
  const found = finding('base_url', { what: `${config.origin}; the callback is ${config.redirectUri}` })
  return isLocal ? [found] : [found, proxyAdvice(), ...(isProduction ? [] : [nodeEnvAdvice()])]
}

function proxyAdvice(): Finding {
  return finding('proxy', {
    what: 'whether the app trusts its proxy cannot be checked from here',
    why: 'Rate limits count client addresses: behind a proxy that Express does not trust, all visitors share one.',
    fix: "Behind proxies: app.set('trust proxy', <their number>), and have them pass on the Host header.",
  })
}

function nodeEnvAdvice(): Finding {
  return finding('node_env_missing', {
    what: 'NODE_ENV is not production, although the base URL is public',
    why: 'Express then shows stack traces to visitors, and compiles templates for every response.',
    fix: 'Set NODE_ENV=production where the app runs.',
  })
}

function checkCookie(setup: DoctorSetup): readonly Finding[] {
  const { config } = setup
  if (!isUsable(setup, ['baseUrl', 'clientId', 'session'])) return []
  if (!config.ownSession) {
    return [
      finding('app_session', {
        what: 'the app brings its own session',
        why: 'Its cookie cannot be seen from here, nor whether it is mounted before auth: without it, /auth/login answers session_missing.',
        fix: "Mount it before auth. Set Secure, HttpOnly and SameSite=Lax on it; behind a proxy, app.set('trust proxy', ...), otherwise it is not sent.",
      }),
    ]
  }
  const { session } = cookieNamesOf(config)
  const why = config.isHttps ? 'https: no other host can set it' : 'http on this machine: without a prefix'
  return [finding('cookie', { what: `${session} (${why})` })]
}

/** Finds a sign-in in one environment with messages in another: `environment` usually sets both. */
function checkEnvironments(setup: DoctorSetup): readonly Finding[] {
  const { config } = setup
  const warnings = config.warnings.map(({ code, detail }) => finding(code, { what: detail, fix: WARNING_FIXES[code] }))
  const isMixed = warnings.some(({ code }) => code === 'environment_mixed')
  if (isMixed || config.messaging.credentials === undefined) return warnings
  const of = (urls: Readonly<Record<string, string>>, url: string): string | undefined =>
    Object.keys(urls).find((name) => isSameOrigin(urls[name], url))
  const apiUrls = Object.fromEntries(Object.entries(MESSAGING_URLS).map(([name, { apiUrl }]) => [name, apiUrl]))
  const [accounts, token, api] = [
    of(ISSUERS, config.issuer),
    of(ISSUERS, config.messaging.tokenUrl),
    of(apiUrls, config.messaging.apiUrl),
  ]
  const names = [...new Set([accounts, token, api].filter((name) => name !== undefined))]
  if (names.length < 2) return warnings
  const what = `sign-in is at ${accounts ?? 'a host of its own'}, the token endpoint at ${token ?? 'a host of its own'}, messaging at ${api ?? 'a host of its own'}`
  return [...warnings, finding('environment_mixed', { what, fix: WARNING_FIXES.environment_mixed })]
}

const WARNING_FIXES = {
  environment_mixed:
    'Set PPOPPO_ENVIRONMENT, and remove PPOPPO_AUTH_URL, PAS_TOKEN_URL and PCS_API_URL: it sets all hosts together.',
  session_secret_weak: 'Run "npx express-ppoppo keygen" and use its PPOPPO_SESSION_SECRET.',
  vault_keys_weak: 'Run "npx express-ppoppo keygen" and use its PPOPPO_VAULT_KEYS.',
} as const

function isSameOrigin(one: string | undefined, other: string): boolean {
  return one !== undefined && URL.canParse(one) && URL.canParse(other) && new URL(one).origin === new URL(other).origin
}

function checkMemoryStore(setup: DoctorSetup): readonly Finding[] {
  const { config } = setup
  if (config.redis !== undefined || !isUsable(setup, ['redis'])) return []
  if (config.oneOfSeveral === undefined) {
    return [
      finding('memory_store', {
        what: 'sign-ins are kept in memory: run one process only; a restart signs everybody out',
      }),
    ]
  }
  return [
    finding('memory_store_shared', {
      what: `sign-ins are kept in the memory of each process, and ${config.oneOfSeveral}`,
      why: 'Processes do not share memory: people are signed out at random.',
      fix: 'Set REDIS_URL, or run one process.',
    }),
  ]
}
