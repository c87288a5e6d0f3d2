import { isLoopback } from '../lib/loopback.js'
import { nearest } from '../lib/nearest.js'
import type { Faults } from './environment-variables.js'

/** PAS by environment (*Sign-in reference*). */
export const ISSUERS = {
  production: 'https://accounts.ppoppo.com',
  sandbox: 'https://accounts.sandbox.ppoppo.com',
  local: 'http://localhost:3100',
} as const

/** Environment of Ppoppo. */
export type Environment = keyof typeof ISSUERS

/** The environment; `production` by default. */
export function parseEnvironment(value: unknown, faults: Faults): Environment {
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

/** A public origin: `https:`, or `http:` on loopback; nothing after the host but one slash. */
export function parseOrigin(value: unknown, option: string, faults: Faults): URL | undefined {
  const problem = 'must be an origin such as "https://app.example": scheme, host and port, nothing more'
  const url = parseUrl(value)
  if (url === undefined || url.pathname !== '/' || hasMoreThanPath(url)) return faults.add(option, problem)
  if (url.hostname.includes('*')) return faults.add(option, 'must name one host; wildcards are not allowed')
  return isSecure(url) ? url : faults.add(option, 'must be https; http is allowed on localhost only')
}

/** URL of PAS, kept byte for byte: the discovery document must have the same (OIDC Discovery 4.3). */
export function parseIssuer(value: unknown, faults: Faults): string | undefined {
  const url = parseUrl(value)
  if (url === undefined || hasMoreThanPath(url)) {
    return faults.add('issuer', 'must be a URL such as "https://accounts.ppoppo.com", without query or fragment')
  }
  if (!isSecure(url)) return faults.add('issuer', 'must be https; http is allowed on localhost only')
  return value as string
}

/** RFC 8707: an absolute URI without a fragment, sent byte for byte. */
export function parseResource(value: unknown, faults: Faults): string | undefined {
  if (value === undefined) return undefined
  if (isCleanText(value) && URL.canParse(value) && !value.includes('#')) return value
  return faults.add('resource', 'must be an absolute URI without a fragment (RFC 8707)')
}

/** Exact origins, normalised, without the app's own. */
export function parseOrigins(
  value: unknown,
  option: 'allowedReturnOrigins' | 'trustedOrigins',
  own: string | undefined,
  faults: Faults,
): readonly string[] {
  if (value === undefined) return []
  if (!Array.isArray(value)) {
    faults.add(option, 'must be a list of origins')
    return []
  }
  const origins = value.map((entry: unknown, index) => parseOrigin(entry, `${option}[${index}]`, faults)?.origin)
  return [...new Set(origins.filter((origin) => origin !== undefined && origin !== own))] as string[]
}

/** Warnings if the hosts of two environments are mixed: people would sign in at one and get messages from the other. */
export function environmentWarnings(
  environment: Environment,
  issuer: string,
  idTokenIssuer: string,
): readonly string[] {
  const mixed = (Object.keys(ISSUERS) as Environment[]).filter((other) => other !== environment && other !== 'local')
  return mixed.flatMap((other) => {
    const options = [issuer, idTokenIssuer].map(bareHost).map((host) => host === bareHost(ISSUERS[other]))
    const name = options[0] ? '"issuer" (PPOPPO_AUTH_URL)' : options[1] ? '"idTokenIssuer"' : undefined
    if (name === undefined) return []
    return [
      `${name} belongs to the ${other} environment, but "environment" (PPOPPO_ENVIRONMENT) is ${environment}: set "environment" to ${other}, or remove ${name}`,
    ]
  })
}

function bareHost(issuer: string): string {
  return issuer
    .replace(/^https?:\/\//i, '')
    .replace(/[/:].*$/s, '')
    .toLowerCase()
}

/** An `http:` or `https:` URL without query, fragment or user; `undefined` for everything else. */
export function parseUrl(value: unknown): URL | undefined {
  // The WHATWG URL parser drops tabs and newlines and reads \ as /; nobody intends that.
  if (!isCleanText(value) || value.includes('\\')) return undefined
  const url = /^https?:\/\/[^/]/i.test(value) && URL.canParse(value) ? new URL(value) : undefined
  // In `https://host?` and `https://host#` the query and fragment parse as empty, but they are not allowed either.
  return url === undefined || /[?#@]/.test(value) ? undefined : url
}

function hasMoreThanPath(url: URL): boolean {
  return url.search !== '' || url.hash !== '' || url.username !== '' || url.password !== ''
}

/** Whether nobody on the network can read along: https, or this machine. */
export function isSecure(url: URL): boolean {
  return url.protocol === 'https:' || isLoopback(url.hostname)
}

/** A non-empty string without spaces or control characters. */
export function isCleanText(value: unknown): value is string {
  return typeof value === 'string' && value !== '' && !/[\s\p{Cc}]/u.test(value)
}
