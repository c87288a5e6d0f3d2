/**
 * Remembers, by key, values derived from texts. A value is returned only for the exact text it was derived from, so a
 * changed text is processed again.
 *
 * Bounded by the length of the texts: two generations of at most `maxCharacters` each. When the younger one is full, it becomes
 * the older one, and values that were not used since are dropped.
 */
export class TextCache<T> {
  #young = new Map<string, Entry<T>>()
  #old = new Map<string, Entry<T>>()
  #characters = 0
  readonly #maxCharacters: number

  constructor(options: { readonly maxCharacters: number }) {
    this.#maxCharacters = options.maxCharacters
  }

  /** The value derived from this text under this key; `undefined` if there is none, or the text was different. */
  get(key: string, text: string): T | undefined {
    const young = this.#young.get(key)
    const entry = young ?? this.#old.get(key)
    if (entry?.text !== text) return undefined
    if (!young) this.#add(key, entry)
    return entry.value
  }

  /** Remembers the value derived from a text; replaces any other value under this key. */
  set(key: string, text: string, value: T): void {
    this.#add(key, { text, value })
  }

  delete(key: string): void {
    this.#young.delete(key)
    this.#old.delete(key)
  }

  #add(key: string, entry: Entry<T>): void {
    const { length } = entry.text
    if (length > this.#maxCharacters) return this.delete(key)
    if (this.#characters + length > this.#maxCharacters) {
      this.#old = this.#young
      this.#young = new Map()
      this.#characters = 0
    }
    this.#characters += length
    this.#young.set(key, entry)
  }
}

interface Entry<T> {
  readonly text: string
  readonly value: T
}
