/** HTML that is safe to send: made by {@link html}, its values escaped. */
export class SafeHtml {
  readonly #text: string

  constructor(text: string) {
    this.#text = text
  }

  toString(): string {
    return this.#text
  }
}

/** What may stand in a template: text is escaped, `undefined` and `false` are nothing, lists are joined. */
export type HtmlValue = string | number | SafeHtml | undefined | false | readonly HtmlValue[]

/**
 * A tagged template that escapes every value, for text and for quoted attributes alike.
 *
 * @example html`<a href="${url}">${label}</a>`.toString()
 */
export function html(strings: TemplateStringsArray, ...values: readonly HtmlValue[]): SafeHtml {
  return new SafeHtml(strings.reduce((text, part, index) => text + toText(values[index - 1]) + part))
}

/** Marks text as HTML already: only for constants of this library, such as its stylesheet. */
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
  // Old engines read ` as a quote around an attribute.
  '`': '&#96;',
}

/** Escapes text for HTML content and for attributes in quotes. NUL, which no HTML may hold, becomes U+FFFD. */
export function escapeHtml(text: string): string {
  return text.replace(/[&<>"'`]/g, (character) => ENTITIES[character] ?? character).replaceAll('\0', '\uFFFD')
}
