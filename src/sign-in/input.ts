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

/** The query of the request as it came. */
export function queryOf(req: Request): URLSearchParams {
  const target = targetOf(req)
  const start = target.indexOf('?')
  return new URLSearchParams(start < 0 ? '' : target.slice(start + 1))
}
