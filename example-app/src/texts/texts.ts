import type { en } from './en.js'

/** A literal of the English texts stands for any text of its kind. */
type Widened<T> = T extends string
  ? string
  : T extends (...args: infer Args) => string
    ? (...args: Args) => string
    : { readonly [Key in keyof T]: Widened<T[Key]> }

/** All words of one language. */
export type Texts = Widened<typeof en>
export type TroubleKey = keyof Texts['troubles']
export type ErrorKey = keyof Texts['errors']

/** By a key that may have come from outside, or from a row of before. */
export function lookUp<T>(texts: Readonly<Record<string, T>>, key: unknown): T | undefined {
  return typeof key === 'string' && Object.hasOwn(texts, key) ? texts[key] : undefined
}
