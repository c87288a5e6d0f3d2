import type { Response } from 'express'
import { ERROR_CATALOGUE, isPpoppoError } from '../errors.js'
import type { ProblemCode } from '../http/problem.js'
import { isPlainObject } from '../lib/guards.js'

/** What the answer to an error says. */
export interface ErrorAnswer {
  /** HTTP status, 400 to 599. */
  readonly status: number
  /** Code of the `PpoppoError`; absent for any other error. */
  readonly code?: ProblemCode
  /** What anybody may read about it: no details of this server. */
  readonly detail?: string
  /** When to try again, in seconds. */
  readonly retryAfterSeconds?: number
}

/** In seconds, for errors that may pass, though it is unknown when. */
const RETRY_AFTER_SECONDS = 5

/**
 * The answer to an error that was expected: a {@link PpoppoError}, or what Express, its parsers and `http-errors` throw for a
 * bad request. `undefined` for a mistake in the app, `config_invalid` included.
 */
export function expectedAnswer(error: unknown): ErrorAnswer | undefined {
  if (isPpoppoError(error)) return error.status === 500 ? undefined : ofPpoppo(error)
  if (typeof error !== 'object' || error === null) return undefined
  const { status, expose, message } = error as Readonly<Record<string, unknown>>
  if (typeof status !== 'number' || !Number.isInteger(status) || status < 400 || status > 499) return undefined
  return { status, ...(expose === true && typeof message === 'string' && { detail: message }) }
}

function ofPpoppo(
  error: Error & { code: keyof typeof ERROR_CATALOGUE; status: number; retryAfterMs?: number },
): ErrorAnswer {
  const { code, status, retryAfterMs } = error
  const isForCaller = status < 500
  const seconds = retryAfterMs === undefined ? RETRY_AFTER_SECONDS : Math.max(1, Math.ceil(retryAfterMs / 1_000))
  const mayPass = ERROR_CATALOGUE[code].retryable && (status === 503 || status === 429)
  return {
    status,
    code,
    // A message about the server is for its operator.
    detail: isForCaller ? error.message : ERROR_CATALOGUE[code].meaning,
    ...((retryAfterMs !== undefined || mayPass) && { retryAfterSeconds: seconds }),
  }
}

/** What may be said even by an error that somebody else made. */
const ABOUT_ERRORS = /^(allow|accept|retry-after|content-range|www-authenticate)$/i

/**
 * The headers that an error asks for, such as `Allow`. All of them only if it is to be shown to the client (`expose`, as
 * `http-errors` makes it): clients of other APIs put the headers of the answer that they got on their errors, cookies too.
 */
export function setHeadersOf(error: unknown, res: Response): void {
  const { headers, expose } = Object(error)
  if (!isPlainObject(headers)) return
  for (const [name, value] of Object.entries(headers))
    if (typeof value === 'string' && (expose === true || ABOUT_ERRORS.test(name))) res.set(name, value)
}

/** Whether the client has gone: there is nobody to answer. */
export function isAborted(error: unknown, res: Response): boolean {
  return Reflect.get(Object(error), 'type') === 'request.aborted' || res.destroyed || res.closed
}
