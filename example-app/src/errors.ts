/*
 * The 404 page and the error handler. Both are mounted last, and know three kinds of error:
 * our own HttpError, the library's PpoppoError (its `status` is meant for here), and what Express and its parsers throw
 * (`status`, too). Anything else is a bug of ours: it is logged whole, and the person gets a calm page without a stack.
 */
import type { ErrorRequestHandler, RequestHandler } from 'express'
import { PpoppoError } from 'express-ppoppo'
import { HttpError } from './http-error.js'
import type { ErrorKey } from './texts/texts.js'
import { textsOf } from './texts/texts-of.js'
import type { Views } from './views.js'

export const notFound: RequestHandler = () => {
  throw new HttpError(404, 'nothing_here')
}

export interface ErrorHandlerParts {
  readonly views: Views
  readonly log: (error: unknown) => void
}

export function createErrorHandler({ views, log }: ErrorHandlerParts): ErrorRequestHandler {
  return (error: unknown, req, res, next) => {
    // Half an answer has left: Express's own handler closes the connection, which is all one can still do.
    if (res.headersSent) return next(error)
    const { status, key, retryAfterMs } = describe(error)
    const [title = '', explanation = ''] = textsOf(req).errors[key]
    if (status === 500) log(error)
    res.status(status).set('Cache-Control', 'no-store')
    if (retryAfterMs !== undefined) res.set('Retry-After', String(Math.ceil(retryAfterMs / 1000)))
    // A browser asks for text/html before anything else; programs mostly ask for */* and mean JSON.
    if (req.accepts(['json', 'html']) !== 'html') {
      // The library's errors name the page that explains them; ours need no page.
      const type = error instanceof PpoppoError ? error.docsUrl : 'about:blank'
      res.type('application/problem+json').send(JSON.stringify({ type, title, status, detail: explanation }))
      return
    }
    views.send(req, res, 'message', { title, status, explanation })
  }
}

interface Description {
  readonly status: number
  readonly key: ErrorKey
  readonly retryAfterMs?: number
}

function describe(error: unknown): Description {
  if (error instanceof HttpError) return { status: error.status, key: error.key }
  const status = statusOf(error)
  // Between the guard and here the sign-in ended: signed out in another tab, or access was revoked at Ppoppo.
  if (status === 401) return { status, key: 'signed_out' }
  if (status === 503) {
    const retryAfterMs = error instanceof PpoppoError ? error.retryAfterMs : undefined
    return { status, key: 'unavailable', ...(retryAfterMs !== undefined && { retryAfterMs }) }
  }
  return { status, key: status < 500 ? 'bad_request' : 'our_fault' }
}

function statusOf(error: unknown): number {
  if (typeof error !== 'object' || error === null || !('status' in error)) return 500
  const { status } = error
  return typeof status === 'number' && status >= 400 && status <= 599 ? status : 500
}
