import { PpoppoError } from '../errors.js'
import type { Runtime } from '../lib/runtime.js'
import { readRefusal } from './read-answers.js'

/** Every call to PAS ends after this long, body included. A refresh lease must outlive it. */
export const PROVIDER_DEADLINE_MS = 5_000
/** The longest answer that is read; discovery documents and key sets are a few kilobytes. */
const MAX_ANSWER_BYTES = 512 * 1024

/** One request to PAS. */
export type AskProvider = (url: string, request: ProviderRequest) => Promise<ProviderAnswer>

/** What openid-client passes on. */
export interface ProviderRequest {
  readonly method: string
  readonly headers: Record<string, string>
  readonly body?: RequestInit['body'] | undefined
}

/** An answer that has been read to its end. */
export interface ProviderAnswer {
  readonly status: number
  readonly headers: Headers
  readonly body: string
}

/** Asks PAS, bounded in time and size; follows no redirect. */
export function createAskProvider(runtime: Runtime, issuer: string, closed: AbortSignal): AskProvider {
  // One listener for all calls: `AbortSignal.any` would hang every call's signal on the long-lived one.
  const inFlight = new Set<AbortController>()
  closed.addEventListener('abort', () => {
    for (const call of inFlight) call.abort()
  })

  return async (url, { method, headers, body }) => {
    const call = new AbortController()
    const deadline = setTimeout(() => call.abort(), PROVIDER_DEADLINE_MS)
    inFlight.add(call)
    try {
      const answer = await runtime.fetch(url, {
        method,
        headers,
        ...(body === undefined ? {} : { body }),
        redirect: 'manual',
        signal: call.signal,
      })
      return { status: answer.status, headers: answer.headers, body: await readBounded(answer) }
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
 * The same as a fetch for openid-client, which gets to see what `read` made of an answer and nothing else: it refuses
 * `null` members, and knows no bounds. What is not JSON goes through as it is.
 */
export function toFetch(
  ask: AskProvider,
  read: (body: unknown) => object,
): (url: string, request: ProviderRequest) => Promise<Response> {
  return async (url, request) => {
    const { status, headers, body } = await ask(url, request)
    const isSuccess = status >= 200 && status < 300
    const parsed = parseJson(body)
    if (parsed === undefined) return new Response(body === '' ? null : body, { status, headers })
    const challenge = headers.get('www-authenticate')
    return Response.json(isSuccess ? read(parsed) : readRefusal(parsed), {
      status,
      ...(challenge === null ? {} : { headers: { 'WWW-Authenticate': challenge } }),
    })
  }
}

/** `undefined` for what is no JSON. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

async function readBounded(answer: Response): Promise<string> {
  if (!answer.body) return ''
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of answer.body) {
    size += chunk.byteLength
    if (size > MAX_ANSWER_BYTES) throw new AnswerTooLarge()
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}

class AnswerTooLarge extends Error {}

/** The error for a PAS that does not answer. Its cause is left out: undici's errors may quote what was sent. */
function unreachable(issuer: string, error: unknown): PpoppoError {
  const why =
    error instanceof AnswerTooLarge
      ? `its answer is longer than ${MAX_ANSWER_BYTES / 1024} KB`
      : error instanceof Error && (error.name === 'TimeoutError' || error.name === 'AbortError')
        ? `no answer within ${PROVIDER_DEADLINE_MS / 1000} s`
        : networkCode(error)
  // A certificate is also "expired" or "not yet valid" for a machine whose clock is wrong.
  const isAboutTime = why === 'CERT_HAS_EXPIRED' || why === 'CERT_NOT_YET_VALID'
  const advice = isAboutTime
    ? "Check this machine's clock, and PAS's certificate"
    : 'Check PPOPPO_AUTH_URL and the network'
  return new PpoppoError(
    'provider_unavailable',
    `PAS at ${issuer} cannot be reached (${why}). ${advice}; it is tried again by itself.`,
    { retryAfterMs: 5_000 },
  )
}

function networkCode(error: unknown): string {
  const cause = error instanceof Error ? error.cause : undefined
  const code = cause instanceof Error && 'code' in cause ? cause.code : undefined
  return typeof code === 'string' ? code : 'connection failed'
}
