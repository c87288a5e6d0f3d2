import type { Response } from 'express'
import { secureAnswer } from './answer-headers.js'

/** Answers a client that is not a browser with `application/problem+json` (RFC 9457). */
export function sendProblem(
  res: Response,
  status: number,
  problem: { readonly title: string; readonly detail: string; readonly code: string; readonly loginUrl?: string },
  retryAfterSeconds?: number,
): void {
  if (retryAfterSeconds !== undefined) res.set('Retry-After', String(retryAfterSeconds))
  secureAnswer(res)
  res.set('Cache-Control', 'private, no-store')
  res.status(status).type('application/problem+json')
  res.send(JSON.stringify({ type: 'about:blank', status, ...problem }))
}
