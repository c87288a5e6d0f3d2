import { PpoppoError } from '../errors.js'
import { Aborted, AnswerTooLong, ask, NoAnswer, type PpoppoFetch, type ReadAnswer } from '../lib/http.js'
import { judgeNetwork } from './network-faults.js'
import { readRefusal } from './read-answers.js'

/** Time limit of every call to PAS, body included. A refresh lease must outlive it. */
export const PROVIDER_DEADLINE_MS = 5_000
/** The largest answer that is read; discovery documents and key sets are a few kilobytes. */
const MAX_ANSWER_BYTES = 512 * 1024

/** One request to PAS. */
export type AskProvider = (url: string, request: ProviderRequest) => Promise<ReadAnswer>

/** What openid-client passes on. */
export interface ProviderRequest {
  readonly method: string
  readonly headers: Record<string, string>
  readonly body?: RequestInit['body'] | undefined
}

/** What a function that calls PAS needs. */
export interface AskProviderParts {
  readonly fetch: PpoppoFetch
  /** Used in error messages. */
  readonly issuer: string
  /** Aborts running calls and all later ones. */
  readonly closed: AbortSignal
}

/** Creates the function that calls PAS, limited in time and size. It follows no redirect. */
export function createAskProvider({ fetch, issuer, closed }: AskProviderParts): AskProvider {
  // One listener for all calls: `AbortSignal.any` would attach every call's signal to the long-lived one.
  const inFlight = new Set<AbortController>()
  closed.addEventListener('abort', () => {
    for (const call of inFlight) call.abort()
  })

  return async (url, { method, headers, body }) => {
    const call = new AbortController()
    const deadline = setTimeout(() => call.abort(), PROVIDER_DEADLINE_MS)
    inFlight.add(call)
    try {
      const form = body === undefined || body === null ? {} : { body: String(body) }
      const request = { method, headers, ...form, redirect: 'manual', signal: call.signal } as const
      return await ask(fetch, url, request, MAX_ANSWER_BYTES)
    } catch (error) {
      if (closed.aborted) throw new PpoppoError('closed', 'auth.close() was called while PAS was being asked.')
      throw unreachable(issuer, error)
    } finally {
      clearTimeout(deadline)
      inFlight.delete(call)
    }
  }
}

/**
 * Wraps `ask` as a fetch for openid-client. It sees only what `read` returns, because it rejects `null` members and has
 * no size limits. An answer that is not JSON is passed on unchanged.
 */
export function toFetch(
  ask: AskProvider,
  read: (body: unknown) => object,
): (url: string, request: ProviderRequest) => Promise<Response> {
  return async (url, request) => {
    const { status, headers, body } = await ask(url, request)
    const isSuccess = status >= 200 && status < 300
    const parsed = parseJson(body)
    const passedOn = keep(headers, ['www-authenticate', 'content-type'])
    if (parsed === undefined) return new Response(body === '' ? null : body, { status, headers: passedOn })
    const answer = isSuccess ? read(parsed) : readRefusal(parsed)
    return toJsonAnswer(answer, { status, headers: { ...passedOn, 'content-type': 'application/json' } })
  }
}

/**
 * A `Response` that holds its JSON: passing it through a web stream takes longer than all checks of openid-client. Not a class
 * of its own: naming `Response` when this file is loaded would make Node load all of its fetch, a fifth of our start.
 */
function toJsonAnswer(answer: object, init: ResponseInit): Response {
  return Object.assign(new Response(null, init), {
    json: async () => answer,
    text: async () => JSON.stringify(answer),
    clone: () => toJsonAnswer(answer, init),
  })
}

/** @returns `undefined` if `text` is not JSON */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function keep(headers: ReadAnswer['headers'], names: readonly string[]): Record<string, string> {
  const found = names.map((name) => [name, headers.get(name)] as const)
  return Object.fromEntries(found.filter((entry): entry is [string, string] => entry[1] !== null))
}

/** The error for a PAS that does not answer. It has no cause, because undici's errors may quote what was sent. */
function unreachable(issuer: string, error: unknown): PpoppoError {
  const { why, todo } = judge(error, issuer)
  return new PpoppoError(
    'provider_unavailable',
    `PAS at ${issuer} cannot be reached (${why}). ${todo}. The next request tries again.`,
    { retryAfterMs: 5_000 },
  )
}

function judge(error: unknown, issuer: string): ReturnType<typeof judgeNetwork> {
  const todo = 'Check PPOPPO_AUTH_URL and the network'
  if (error instanceof AnswerTooLong) return { why: `its answer is longer than ${MAX_ANSWER_BYTES / 1024} KB`, todo }
  if (error instanceof NoAnswer) return { why: `of the option "fetch": ${error.message}`, todo: 'Fix that function' }
  if (error instanceof Aborted) return { why: `no answer within ${PROVIDER_DEADLINE_MS / 1000} s`, todo }
  return judgeNetwork(error, issuer)
}
