import express, { type Request, type RequestHandler, type Response } from 'express'
import { type BodyFault, hasBody, judgeAppBody, parseBody } from '../http/form-body.js'
import { sendProblem } from '../http/problem.js'
import { wantsHtml } from '../http/request-reading.js'
import type { RouteParts } from './route-parts.js'

const LIMIT = '8kb'
const TYPES = 'application/x-www-form-urlencoded, application/json'

const PROBLEMS: Readonly<
  Record<BodyFault, { readonly code: string; readonly title: string; readonly detail: string }>
> = {
  400: {
    code: 'body_malformed',
    title: 'Body not understood',
    detail: 'The body is broken, no JSON object, or says the same thing twice. Nothing was changed.',
  },
  413: { code: 'body_too_large', title: 'Body too large', detail: `The body may have ${LIMIT}. Nothing was changed.` },
  415: {
    code: 'body_unsupported',
    title: 'Body of another type',
    detail: `The body must be one of ${TYPES}, in UTF-8 (not FormData: use URLSearchParams). Nothing was changed.`,
  },
}

/**
 * Reads the small form or JSON body of a POST to `req.body`, or takes what the app has read. A body that is there and was
 * not understood ends here: what follows would do less than it asks for, and say that all is well.
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
      // Else it was passed by, as where the other side has closed meanwhile.
      proceed(Buffer.isBuffer(req.body) ? parseBody(req.get('content-type'), req.body) : 400)
    })
  }
}

/** A page with a link to start over, or JSON. */
export function refuseBody({ pages, config }: RouteParts, req: Request, res: Response, status: BodyFault): void {
  // RFC 9110 12.5.1: what is taken here.
  if (status === 415) res.set('Accept', TYPES)
  if (!wantsHtml(req)) return sendProblem(res, status, PROBLEMS[status])
  const route = req.path.toLowerCase().startsWith('/logout') ? 'logout' : 'login'
  pages.send(req, res, 'form_unreadable', { status, goOnUrl: `${config.origin}${config.mountPath}/${route}` })
}

function toFault(error: unknown): BodyFault {
  const status: unknown = Object(error).status
  return status === 413 || status === 415 ? status : 400
}
