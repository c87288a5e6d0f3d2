import express, { type Request, type RequestHandler, type Response } from 'express'
import { type BodyFault, hasBody, judgeAppBody, parseBody } from '../http/form-body.js'
import { type ProblemCode, sendProblem } from '../http/problem.js'
import { wantsHtml } from '../http/request-reading.js'
import type { RouteParts } from './route-parts.js'

const LIMIT = '8kb'
const TYPES = 'application/x-www-form-urlencoded, application/json'

const PROBLEMS: Readonly<
  Record<BodyFault, { readonly code: ProblemCode; readonly title: string; readonly detail: string }>
> = {
  400: {
    code: 'body_malformed',
    title: 'Malformed body',
    detail: 'The body is broken, not a JSON object, or contains contradictory fields. Nothing was changed.',
  },
  413: { code: 'body_too_large', title: 'Body too large', detail: `The limit is ${LIMIT}. Nothing was changed.` },
  415: {
    code: 'body_unsupported',
    title: 'Unsupported body type',
    detail: `The body must be ${TYPES}, in UTF-8 (instead of FormData use URLSearchParams). Nothing was changed.`,
  },
}

/**
 * Reads the small form or JSON body of a POST into `req.body`, or uses what the app has read. A body that cannot be read is
 * rejected: the route would otherwise do less than requested, and report success.
 */
export function createReadForm(parts: RouteParts): RequestHandler {
  const readAny = express.raw({ type: () => true, limit: LIMIT })

  return function readForm(req, res, next) {
    if (!hasBody(req)) return next()
    const proceed = (fields: ReturnType<typeof parseBody>): void => {
      if (typeof fields === 'number') return refuseBody(parts, req, res, fields)
      req.body = fields
      next()
    }
    if (req.readableDidRead || req.readableEnded) return proceed(judgeAppBody(req))
    readAny(req, res, (error?: unknown) => {
      if (error) return proceed(toFault(error))
      // Otherwise the body was skipped, e.g. because the client has closed the connection.
      proceed(Buffer.isBuffer(req.body) ? parseBody(req.get('content-type'), req.body) : 400)
    })
  }
}

/** Answers with a page that links to the route, or with JSON. */
export function refuseBody({ pages, config }: RouteParts, req: Request, res: Response, status: BodyFault): void {
  // RFC 9110 12.5.1: what is accepted here.
  if (status === 415) res.set('Accept', TYPES)
  if (!wantsHtml(req)) return sendProblem(res, status, PROBLEMS[status])
  const route = req.path.toLowerCase().startsWith('/logout') ? 'logout' : 'login'
  pages.send(req, res, 'form_unreadable', { status, goOnUrl: `${config.origin}${config.mountPath}/${route}` })
}

function toFault(error: unknown): BodyFault {
  const status: unknown = Object(error).status
  return status === 413 || status === 415 ? status : 400
}
