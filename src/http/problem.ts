import type { Response } from 'express'
import type { PpoppoErrorCode } from '../errors.js'
import { docsUrl } from '../lib/docs-url.js'
import { secureAnswer } from './answer-headers.js'

/** Codes of problems that only routes answer with; no error has them. Each has its page in `docs/errors/`. */
export const PROBLEM_CODES = [
  'navigation_required',
  'body_malformed',
  'body_too_large',
  'body_unsupported',
  'sign_in_too_old',
  'forbidden',
] as const

/** Code of a problem: of an error, or one of {@link PROBLEM_CODES}. */
export type ProblemCode = PpoppoErrorCode | (typeof PROBLEM_CODES)[number]

/** The members of a problem that differ. */
export interface Problem {
  readonly title: string
  readonly detail: string
  readonly code: ProblemCode
  readonly loginUrl?: string
  /** Scopes that the sign-in lacks. */
  readonly missing?: readonly string[]
}

/** Answers a client that is not a browser with `application/problem+json` (RFC 9457); `type` is the page about the code. */
export function sendProblem(res: Response, status: number, problem: Problem, retryAfterSeconds?: number): void {
  if (retryAfterSeconds !== undefined) res.set('Retry-After', String(retryAfterSeconds))
  send(res, { type: docsUrl('errors', problem.code), status, ...problem })
}

/** The same for an error that is none of ours: its status says all about its type. */
export function sendPlainProblem(
  res: Response,
  status: number,
  problem: { readonly title: string; readonly detail?: string },
): void {
  send(res, { type: 'about:blank', status, ...problem })
}

function send(res: Response, problem: { readonly status: number; readonly type: string }): void {
  secureAnswer(res)
  res.set('Cache-Control', 'private, no-store')
  res.status(problem.status).type('application/problem+json')
  res.send(JSON.stringify(problem))
}
