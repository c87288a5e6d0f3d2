import type { Request } from 'express'
import { queryOf } from '../http/request-reading.js'
import { targetOf } from '../lib/request-target.js'

/** The parameters of an authorization response (RFC 6749 4.1.2, RFC 9207). Either `code` or `error` is present. */
export interface CallbackParams {
  readonly state: string
  readonly code?: string
  readonly error?: string
  readonly iss?: string
}

/** Codes and states are short: a longer URL is not an authorization response. */
const MAX_QUERY_LENGTH = 8_192
const MAX_VALUE_LENGTH = 4_096
const NAMES = ['state', 'code', 'error', 'iss'] as const

/** @returns `undefined` if it is not an authorization response: each parameter at most once, printable and short */
export function parseCallback(req: Request): CallbackParams | undefined {
  if (targetOf(req).length > MAX_QUERY_LENGTH) return undefined
  const query = queryOf(req)
  const found: { -readonly [Name in keyof CallbackParams]?: string } = {}
  for (const name of NAMES) {
    const values = query.getAll(name)
    if (values.length === 0) continue
    const [value = ''] = values
    if (values.length > 1 || value.length > MAX_VALUE_LENGTH || !/^[\x21-\x7e]+$/.test(value)) return undefined
    found[name] = value
  }
  const { state, ...rest } = found
  const hasOneResult = (rest.code === undefined) !== (rest.error === undefined)
  return state === undefined || !hasOneResult ? undefined : { state, ...rest }
}
