/** HTML that is safe to send, since {@link html} has escaped every value in it. */
export class SafeHtml {
  readonly #text: string

  constructor(text: string) {
    this.#text = text
  }

  toString(): string {
    return this.#text
  }
}

/** A value in a template: strings are escaped, `undefined` and `false` render nothing, arrays are joined. */
export type HtmlValue = string | number | SafeHtml | undefined | false | readonly HtmlValue[]

/**
 * A tagged template that escapes every value, both for text and for quoted attributes.
 *
 * @example html`<a href="${url}">${label}</a>`.toString()
 */
export function html(strings: TemplateStringsArray, ...values: readonly HtmlValue[]): SafeHtml {
  return new SafeHtml(strings.reduce((text, part, index) => text + toText(values[index - 1]) + part))
}

/** Marks a string as HTML that needs no escaping. Only for constants of this library, such as its stylesheet. */
export function trustedHtml(text: string): SafeHtml {
  return new SafeHtml(text)
}

function toText(value: HtmlValue): string {
  if (value === undefined || value === false) return ''
  if (value instanceof SafeHtml) return value.toString()
  if (typeof value === 'object') return value.map(toText).join('')
  return escapeHtml(String(value))
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
  // Old browsers accept ` as an attribute quote.
  '`': '&#96;',
}

/** Escapes text for HTML content and for attributes in quotes. NUL, which no HTML may hold, becomes U+FFFD. */
export function escapeHtml(text: string): string {
  return text.replace(/[&<>"'`]/g, (character) => ENTITIES[character] ?? character).replaceAll('\0', '\uFFFD')
}
