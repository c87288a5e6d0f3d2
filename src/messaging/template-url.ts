import { fillPlaceholders } from './placeholders.js'

/** What a button may open and an image come from. Anything else may run code, or means nothing in a message. */
const SCHEMES: readonly string[] = ['https:', 'http:']
/** Two values of a placeholder that are nothing in particular. */
const [ONE, OTHER] = ['a', 'b'] as const

/**
 * What is wrong with the URL of a template, read as browsers do (WHATWG URL: spaces around it, tabs and line ends within it do
 * not count). Its scheme and host stand in the template: a placeholder after them only, or whoever fills it says where
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

/** Where it leads: scheme, host and port, and what stands before them. `undefined` where it must not, or nowhere. */
function targetOf(text: string): string | undefined {
  if (!URL.canParse(text)) return undefined
  const { protocol, username, password, host } = new URL(text)
  return SCHEMES.includes(protocol) ? [protocol, username, password, host].join(' ') : undefined
}
