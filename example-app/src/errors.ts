/*
 * The 404 page, and how an error looks. `auth.errorHandler()`, mounted last, does the rest: the status of our own HttpError,
 * of the library's errors and of what Express and its parsers throw; JSON for programs; a 500 for a bug of ours, which it
 * reports whole while the person gets this calm page without a stack.
 */
import type { RequestHandler } from 'express'
import type { ErrorHandlerOptions } from 'express-ppoppo'
import { HttpError } from './http-error.js'
import type { ErrorKey } from './texts/texts.js'
import { textsOf } from './texts/texts-of.js'
import type { Views } from './views.js'

export const notFound: RequestHandler = () => {
  throw new HttpError(404, 'nothing_here')
}

export function createErrorPage(views: Views): NonNullable<ErrorHandlerOptions['page']> {
  return (req, res, { error, status }) => {
    const [title = '', explanation = ''] = textsOf(req).errors[keyOf(error, status)]
    views.send(req, res, 'message', { title, status, explanation })
  }
}

function keyOf(error: unknown, status: number): ErrorKey {
  if (error instanceof HttpError) return error.key
  // Between the guard and here the sign-in ended: signed out in another tab, or access was revoked at Ppoppo.
  if (status === 401) return 'signed_out'
  if (status < 500) return 'bad_request'
  return status === 500 ? 'our_fault' : 'unavailable'
}
