/**
 * Remembers what was made of texts, by key. A value is given out only with the very text it was made of, so a text that
 * changes is looked at again.
 *
 * Bounded by the length of the texts: two generations of at most `maxCharacters` each. When the younger one is full, it becomes
 * the older one, and what was not used since is dropped.
 */
export class TextCache<T> {
  #young = new Map<string, Entry<T>>()
  #old = new Map<string, Entry<T>>()
  #characters = 0
  readonly #maxCharacters: number

  constructor(options: { readonly maxCharacters: number }) {
    this.#maxCharacters = options.maxCharacters
  }

  /** What was made of this text under this key; `undefined` where that is not known, or the text was another. */
  get(key: string, text: string): T | undefined {
    const young = this.#young.get(key)
    const entry = young ?? this.#old.get(key)
    if (entry?.text !== text) return undefined
    if (!young) this.#add(key, entry)
    return entry.value
  }

  /** Remembers what was made of a text, instead of what was remembered under this key. */
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
