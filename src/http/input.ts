import type { Request } from 'express'
import { isPlainObject } from '../lib/guards.js'
import { targetOf } from '../lib/request-target.js'

/**
 * A parameter of a request: of a POST's body first, then of the URL. Read from the URL itself, since an app may have set
 * Express's query parser to anything.
 * @returns `undefined` where there is none, or more than one.
 */
export function inputOf(req: Request, name: string): string | undefined {
  const body: unknown = req.body
  const inBody = isPlainObject(body) ? body[name] : undefined
  if (typeof inBody === 'string') return inBody
  if (typeof inBody === 'boolean' || typeof inBody === 'number') return String(inBody)
  const values = queryOf(req).getAll(name)
  return values.length === 1 ? values[0] : undefined
}

/**
 * A yes or no, of the body and of the URL; no where there is none.
 * @returns `undefined` for another word, and where two answers differ: to take either would be a guess.
 */
export function flagOf(req: Request, name: string): boolean | undefined {
  const body: unknown = req.body
  const fields = [...(isPlainObject(body) ? Object.entries(body) : []), ...queryOf(req)]
  const answers = fields.flatMap(([field, value]) => (isMeant(field, name) ? [value].flat() : [])).map(toFlag)
  return answers.every((answer) => answer === answers[0]) ? (answers.length === 0 ? false : answers[0]) : undefined
}

/**
 * Whether a field is `name` as others spell it: of a list (`name[]`, as PHP and Rails have it), in another case, after a
 * byte order mark. To pass it by would do less than was asked.
 */
function isMeant(field: string, name: string): boolean {
  return (
    field
      .replace(/^\ufeff/, '')
      .replace(/\[\d*\]$/, '')
      .toLowerCase() === name
  )
}

function toFlag(value: unknown): boolean | undefined {
  const word = String(value ?? '')
    .trim()
    .toLowerCase()
  if (typeof value === 'object' && value !== null) return undefined
  if (['1', 'true', 'on', 'yes'].includes(word)) return true
  return ['', '0', 'false', 'off', 'no'].includes(word) ? false : undefined
}

/** The query of the request as it came. */
export function queryOf(req: Request): URLSearchParams {
  const target = targetOf(req)
  const start = target.indexOf('?')
  return new URLSearchParams(start < 0 ? '' : target.slice(start + 1))
}
