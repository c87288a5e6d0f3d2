/*
 * Which words a page speaks: one language a page, the browser's where that is one of ours. The library's pages under
 * /auth choose the same way, so a person meets one language from the first page to the last.
 */
import type { Request } from 'express'
import { en } from './en.js'
import { ko } from './ko.js'
import type { Texts } from './texts.js'

/** The language that the browser asks for; English where it asks for none of ours. */
export function textsOf(req: Request): Texts {
  return req.acceptsLanguages('en', 'ko') === 'ko' ? ko : en
}
