import { STATUS_CODES } from 'node:http'
import type { ErrorRequestHandler, NextFunction, Request, Response } from 'express'
import { newCorrelationId } from '../audit-events.js'
import { assertCallOptions, assertIsNoRequest } from '../config/call-options.js'
import { PpoppoError } from '../errors.js'
import { challenge } from '../http/answer-headers.js'
import { sendPlainProblem, sendProblem } from '../http/problem.js'
import { wantsHtml } from '../http/request-reading.js'
import { callBack } from '../lib/call-back.js'
import { notify } from '../lib/notify.js'
import type { PageKind } from '../pages/text-types.js'
import { type ErrorAnswer, expectedAnswer, isAborted, setHeadersOf } from './error-answer.js'
import { createReturnPlace } from './return-place.js'
import type { RouteParts } from './route-parts.js'

/** Options of `auth.errorHandler()`. */
export interface ErrorHandlerOptions {
  /**
   * Shows a person the error in your own layout: send the body, status and headers are set.
   * @default the library's page
   */
  readonly page?: (req: Request, res: Response, answer: ErrorAnswer & ErrorContext) => void
  /**
   * Receives every error that is answered with 5xx, for your log. With it, unknown errors are answered too, with 500;
   * without it they go to `next(error)`.
   */
  readonly report?: (error: unknown, context: { readonly req: Request; readonly correlationId: string }) => void
}

/** What else is known about an error that is answered. */
export interface ErrorContext {
  /** The error itself. */
  readonly error: unknown
  /** Links what the person saw to what `report` received: 16 hexadecimal digits. Absent without `report`. */
  readonly correlationId?: string
}

/**
 * @internal Creates `auth.errorHandler()`: the last `app.use` of an app. It answers every `PpoppoError` with its status, as a page or
 * `application/problem+json` as the client accepts, with `Retry-After` and `WWW-Authenticate`; and bad requests of
 * Express and its parsers.
 */
export function createErrorHandlers(parts: RouteParts): (options?: ErrorHandlerOptions) => ErrorRequestHandler {
  const { config, pages, runtime } = parts
  const returnPlace = createReturnPlace(parts)

  function send(req: Request, res: Response, answer: ErrorAnswer, { correlationId }: Partial<ErrorContext>): void {
    const { status, code, detail = '', retryAfterSeconds } = answer
    if (wantsHtml(req))
      return pages.send(req, res, pageOf(answer), {
        status,
        returnTo: returnPlace(req),
        ...(correlationId !== undefined && { correlationId }),
        ...(retryAfterSeconds !== undefined && { retryAfterSeconds }),
      })
    const title = STATUS_CODES[status] ?? 'Error'
    if (code === undefined) return sendPlainProblem(res, status, { title, ...(detail !== '' && { detail }) })
    const login = status === 401 ? { loginUrl: `${config.origin}${config.mountPath}/login` } : {}
    sendProblem(res, status, { code, title, detail, ...login })
  }

  return (options = {}) => {
    assertOptions(options)
    const { page, report } = options
    // A statement, because a bundler drops the name of an expression, and the name shows in traces.
    function ppoppoErrorHandler(error: unknown, req: Request, res: Response, next: NextFunction): void {
      // Part of the response has been sent: all that is left is to let Express close the connection.
      if (res.headersSent) return next(error)
      const expected = expectedAnswer(error)
      if (expected && isAborted(error, res)) return
      if (!expected && !report) return next(error)
      const answer = expected ?? { status: 500 }
      const isReported = report !== undefined && answer.status >= 500
      const context: ErrorContext = { error, ...(isReported && { correlationId: newCorrelationId(runtime) }) }
      const { correlationId } = context
      if (correlationId !== undefined) notify(() => report?.(error, { req, correlationId }), undefined)
      if (expected) setHeadersOf(error, res)
      if (answer.retryAfterSeconds !== undefined) res.set('Retry-After', String(answer.retryAfterSeconds))
      if (answer.status === 401 && !res.get('WWW-Authenticate')) challenge(res, config)
      if (!page || !wantsHtml(req)) return send(req, res, answer, context)
      res.status(answer.status).set('Cache-Control', 'private, no-store')
      // It may be async: a template that fails must not end the process.
      callBack(
        (async () => page(req, res, { ...answer, ...context }))(),
        () => {},
        (thrown) => next(thrown ?? error),
      )
    }
    return ppoppoErrorHandler
  }
}

function pageOf({ status, code }: ErrorAnswer): PageKind {
  if (status === 401) return 'sign_in_required'
  if (code === 'store_unavailable') return 'sign_in_unknown'
  return status >= 500 || status === 429 ? 'not_available' : status === 403 ? 'forbidden' : 'request_refused'
}

function assertOptions(options: unknown): asserts options is ErrorHandlerOptions {
  assertIsNoRequest(options, 'errorHandler', 'auth.errorHandler()')
  assertCallOptions(options, ['page', 'report'], 'errorHandler')
  for (const name of ['page', 'report'])
    if (options[name] !== undefined && typeof options[name] !== 'function')
      throw new PpoppoError('config_invalid', `errorHandler: "${name}" must be a function`)
}
