/*
 * Which words a page speaks: one language a page, the browser's where that is one of ours. The library's pages under
 * /auth choose the same way, so a person meets one language from the first page to the last.
 */
import type { Request } from 'express'
import { en } from './en.js'
import { ko } from './ko.js'

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

/** The language that the browser asks for; English where it asks for none of ours. */
export function textsOf(req: Request): Texts {
  return req.acceptsLanguages('en', 'ko') === 'ko' ? ko : en
}

/** By a key that may have come from outside, or from a row of before. */
export function lookUp<T>(texts: Readonly<Record<string, T>>, key: unknown): T | undefined {
  return typeof key === 'string' && Object.hasOwn(texts, key) ? texts[key] : undefined
}
