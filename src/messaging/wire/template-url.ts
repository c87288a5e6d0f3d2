import { fillPlaceholders } from './placeholders.js'

/** What a button may open and an image come from. Anything else may run code, or means nothing in a message. */
const SCHEMES: readonly string[] = ['https:', 'http:']
/** Not the spaces around it. */
const HIDDEN = /[\p{Cc}\p{Bidi_Control}]/u
/** Browsers do without the slashes; nobody else does. */
const WITH_SLASHES = /^\s*https?:\/\/[^/\\]/i
/** Two values of a placeholder that are nothing in particular. */
const [ONE, OTHER] = ['a', 'b'] as const

/**
 * What is wrong with the URL of a template, read as browsers do (WHATWG URL: spaces around it do not count). Its scheme and host stand in the template: a placeholder after them only, or whoever fills it says where
 * the message leads.
 * @returns `undefined` where nothing is
 */
export function faultOfUrl(url: string): string | undefined {
  const target = targetOf(fillPlaceholders(url, ONE))
  if (target !== undefined && target === targetOf(fillPlaceholders(url, OTHER))) return undefined
  return fillPlaceholders(url, ONE) === url
    ? 'must be a full URL, https or http, such as "https://app.example/offers"'
    : 'must be a full URL, https or http, whose placeholders stand after the host: "https://app.example/{{id}}"'
}

/**
 * Where it leads: scheme, host and port. `undefined` where it must not, or nowhere. Braces in a host are a placeholder in
 * another spelling, and a user before it makes one host look like another.
 */
function targetOf(text: string): string | undefined {
  // A reader that is no browser sees another address, or none, and a person may be shown another.
  if (HIDDEN.test(text) || !WITH_SLASHES.test(text) || !URL.canParse(text)) return undefined
  const { protocol, username, password, host } = new URL(text)
  if (username !== '' || password !== '' || /[{}]/.test(host)) return undefined
  return SCHEMES.includes(protocol) ? `${protocol} ${host}` : undefined
}
