import { isLoopback } from '../lib/loopback.js'
import type { Faults } from './environment.js'

/** PAS by environment (*Sign-in reference*). */
export const ISSUERS = {
  production: 'https://accounts.ppoppo.com',
  sandbox: 'https://accounts.sandbox.ppoppo.com',
  local: 'http://localhost:3100',
} as const

/** Which Ppoppo. */
export type Environment = keyof typeof ISSUERS

/** A public origin: `https:`, or `http:` on loopback; nothing after the host but one slash. */
export function parseOrigin(value: unknown, option: string, faults: Faults): URL | undefined {
  const problem = 'must be an origin such as "https://app.example": scheme, host and port, nothing more'
  const url = parseUrl(value)
  if (url === undefined || url.pathname !== '/' || hasMoreThanPath(url)) return faults.add(option, problem)
  if (url.hostname.includes('*')) return faults.add(option, 'must name one host; wildcards are not allowed')
  return isSecure(url) ? url : faults.add(option, 'must be https; http is allowed on localhost only')
}

/** PAS, kept byte for byte: discovery must spell it the same way (OIDC Discovery 4.3). */
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

/** Exact origins, normalised; the own one is left out. */
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

/** Words about hosts of two environments at once: people would sign in at one and be messaged from another. */
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
      `${name} belongs to the ${other} environment, but "environment" (PPOPPO_ENVIRONMENT) is ${environment}: set "environment" to ${other}, or drop ${name}`,
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
  // WHATWG URL drops tabs and newlines and reads \ as /; neither is meant by anyone.
  if (!isCleanText(value) || value.includes('\\')) return undefined
  const url = /^https?:\/\/[^/]/i.test(value) && URL.canParse(value) ? new URL(value) : undefined
  // `https://host?` and `https://host#` parse to nothing at all; they are still not what is asked for.
  return url === undefined || /[?#@]/.test(value) ? undefined : url
}

function hasMoreThanPath(url: URL): boolean {
  return url.search !== '' || url.hash !== '' || url.username !== '' || url.password !== ''
}

/** Whether nobody on the way can read along: https, or this very machine. */
export function isSecure(url: URL): boolean {
  return url.protocol === 'https:' || isLoopback(url.hostname)
}

/** Text without spaces or control characters. */
export function isCleanText(value: unknown): value is string {
  return typeof value === 'string' && value !== '' && !/[\s\p{Cc}]/u.test(value)
}
