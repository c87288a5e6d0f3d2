/*
 * The 404 page and the error handler. Both are mounted last, and know three kinds of error:
 * our own HttpError, the library's PpoppoError (its `status` is meant for here), and what Express and its parsers throw
 * (`status`, too). Anything else is a bug of ours: it is logged whole, and the person gets a calm page without a stack.
 */
import type { ErrorRequestHandler, RequestHandler } from 'express'
import { PpoppoError } from 'express-ppoppo'
import type { Views } from './views.js'

/** An error whose words are written for the person who sees them. */
export class HttpError extends Error {
  override readonly name = 'HttpError'
  readonly status: number
  readonly explanation: string

  constructor(status: number, title: string, explanation: string) {
    super(title)
    this.status = status
    this.explanation = explanation
  }
}

export const notFound: RequestHandler = () => {
  throw new HttpError(404, 'There is nothing here', 'The address may be misspelt, or the page has moved.')
}

export function createErrorHandler(views: Views, log: (error: unknown) => void): ErrorRequestHandler {
  return (error: unknown, req, res, next) => {
    // Half an answer has left: Express's own handler closes the connection, which is all one can still do.
    if (res.headersSent) return next(error)
    const { status, title, explanation, retryAfterMs } = describe(error)
    if (status === 500) log(error)
    res.status(status).set('Cache-Control', 'no-store')
    if (retryAfterMs !== undefined) res.set('Retry-After', String(Math.ceil(retryAfterMs / 1000)))
    // A browser asks for text/html before anything else; programs mostly ask for */* and mean JSON.
    if (req.accepts(['json', 'html']) !== 'html') {
      res
        .type('application/problem+json')
        .send(JSON.stringify({ type: 'about:blank', title, status, detail: explanation }))
      return
    }
    views.send(req, res, 'message', { title, status, explanation })
  }
}

interface Description {
  readonly status: number
  readonly title: string
  readonly explanation: string
  readonly retryAfterMs?: number
}

function describe(error: unknown): Description {
  if (error instanceof HttpError) return { status: error.status, title: error.message, explanation: error.explanation }
  const status = statusOf(error)
  const retry =
    error instanceof PpoppoError && error.retryAfterMs !== undefined ? { retryAfterMs: error.retryAfterMs } : {}
  if (status === 401) {
    // Between the guard and here the sign-in ended: signed out in another tab, or access was revoked at Ppoppo.
    return { status, title: 'You are signed out', explanation: 'Sign in again to go on.' }
  }
  if (status === 503) {
    return {
      status,
      title: 'Not available right now',
      explanation: 'You are still signed in. Please try again in a moment.',
      ...retry,
    }
  }
  if (status < 500)
    return { status, title: 'That did not work', explanation: 'Your browser sent something we cannot read.' }
  return { status, title: 'Something went wrong', explanation: 'It is our fault, and we have been told.' }
}

function statusOf(error: unknown): number {
  if (typeof error !== 'object' || error === null || !('status' in error)) return 500
  const { status } = error
  return typeof status === 'number' && status >= 400 && status <= 599 ? status : 500
}
