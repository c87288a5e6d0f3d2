import type { Response } from 'express'
import type { PpoppoErrorCode } from '../errors.js'
import { docsUrl } from '../lib/docs-url.js'
import { secureAnswer } from './answer-headers.js'

/** Codes of problems that only routes answer with; no error has them. Each has its page in `docs/errors/`. */
export const PROBLEM_CODES = [
  'navigation_required',
  'cross_site',
  'body_malformed',
  'body_too_large',
  'body_unsupported',
] as const

/** Code of a problem: of an error, or one of {@link PROBLEM_CODES}. */
export type ProblemCode = PpoppoErrorCode | (typeof PROBLEM_CODES)[number]

/** Answers a client that is not a browser with `application/problem+json` (RFC 9457); `type` is the page about the code. */
export function sendProblem(
  res: Response,
  status: number,
  problem: { readonly title: string; readonly detail: string; readonly code: ProblemCode; readonly loginUrl?: string },
  retryAfterSeconds?: number,
): void {
  if (retryAfterSeconds !== undefined) res.set('Retry-After', String(retryAfterSeconds))
  secureAnswer(res)
  res.set('Cache-Control', 'private, no-store')
  res.status(status).type('application/problem+json')
  res.send(JSON.stringify({ type: docsUrl('errors', problem.code), status, ...problem }))
}
