import { fillPlaceholders } from './placeholders.js'

/** Schemes for buttons and images. Any other may run code, or has no meaning in a message. */
const SCHEMES: readonly string[] = ['https:', 'http:']
/** Invisible characters, except for spaces around the URL. */
const HIDDEN = /[\p{Cc}\p{Bidi_Control}]/u
/** Browsers accept URLs without the slashes; other readers do not. */
const WITH_SLASHES = /^\s*https?:\/\/[^/\\]/i
/** Two arbitrary values of a placeholder. */
const [ONE, OTHER] = ['a', 'b'] as const

/**
 * What is wrong with the URL of a template, read as browsers do (WHATWG URL, which ignores spaces around it). Placeholders are
 * allowed only after scheme and host, otherwise their values would decide where the message links to.
 * @returns `undefined` if nothing is
 */
export function faultOfUrl(url: string): string | undefined {
  const target = targetOf(fillPlaceholders(url, ONE))
  if (target !== undefined && target === targetOf(fillPlaceholders(url, OTHER))) return undefined
  return fillPlaceholders(url, ONE) === url
    ? 'must be a full URL, https or http, such as "https://app.example/offers"'
    : 'must be a full URL, https or http, whose placeholders come after the host: "https://app.example/{{id}}"'
}

/**
 * Its target: scheme, host and port. `undefined` if it is not allowed, or invalid. Braces in a host are a placeholder in another
 * spelling, and a user name in front of it makes one host look like another.
 */
function targetOf(text: string): string | undefined {
  // Readers other than browsers would see a different address or none, and people may be shown another one.
  if (HIDDEN.test(text) || !WITH_SLASHES.test(text) || !URL.canParse(text)) return undefined
  const { protocol, username, password, host } = new URL(text)
  if (username !== '' || password !== '' || /[{}]/.test(host)) return undefined
  return SCHEMES.includes(protocol) ? `${protocol} ${host}` : undefined
}
