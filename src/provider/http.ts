import { PpoppoError } from '../errors.js'
import { parseJsonObject } from '../lib/guards.js'
import type { Runtime } from '../lib/runtime.js'

/** Every call to PAS ends after this long, body included. A refresh lease must outlive it. */
export const PROVIDER_DEADLINE_MS = 5_000
/** The longest answer that is read; discovery documents and key sets are a few kilobytes. */
const MAX_ANSWER_BYTES = 512 * 1024

/** The shape of fetch that openid-client calls. */
export type ProviderFetch = (url: string, init: ProviderRequest) => Promise<Response>

/** What openid-client passes on. */
export interface ProviderRequest {
  readonly method: string
  readonly headers: Record<string, string>
  readonly body?: RequestInit['body'] | undefined
  readonly redirect: 'manual'
}

/**
 * A fetch for PAS: bounded in time and size, follows no redirect, and mends answers of the token endpoint: members that
 * are `null` are left out, since PAS sends `"refresh_token": null` where it does not rotate (*Sign-in reference*) and
 * openid-client refuses that.
 */
export function createProviderFetch(runtime: Runtime, issuer: string, closed: AbortSignal): ProviderFetch {
  // One listener for all calls: `AbortSignal.any` would hang every call's signal on the long-lived one.
  const inFlight = new Set<AbortController>()
  closed.addEventListener('abort', () => {
    for (const call of inFlight) call.abort()
  })

  return async (url, init) => {
    const call = new AbortController()
    const deadline = setTimeout(() => call.abort(), PROVIDER_DEADLINE_MS)
    inFlight.add(call)
    try {
      const answer = await runtime.fetch(url, {
        method: init.method,
        headers: init.headers,
        ...(init.body === undefined ? {} : { body: init.body }),
        redirect: 'manual',
        signal: call.signal,
      })
      const body = await readBounded(answer)
      const isNullBody = [101, 204, 205, 304].includes(answer.status)
      return new Response(isNullBody ? null : init.method === 'POST' ? mended(body, init.body) : body, {
        status: answer.status,
        headers: answer.headers,
      })
    } catch (error) {
      if (closed.aborted) throw new PpoppoError('closed', 'auth.close() was called while PAS was being asked.')
      throw unreachable(issuer, error)
    } finally {
      clearTimeout(deadline)
      inFlight.delete(call)
    }
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

/** The id_token of a refresh is left out too: nobody uses it, and verifying it could outlast the refresh lease. */
function mended(body: string, request: ProviderRequest['body']): string {
  const parsed = parseJsonObject(body)
  if (!parsed) return body
  const isRefresh = request instanceof URLSearchParams && request.get('grant_type') === 'refresh_token'
  const kept = Object.entries(parsed).filter(([name, value]) => value !== null && !(isRefresh && name === 'id_token'))
  return JSON.stringify(Object.fromEntries(kept))
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
  return new PpoppoError(
    'provider_unavailable',
    `PAS at ${issuer} cannot be reached (${why}). Check PPOPPO_AUTH_URL and the network; it is tried again by itself.`,
    { retryAfterMs: 5_000 },
  )
}

function networkCode(error: unknown): string {
  const cause = error instanceof Error ? error.cause : undefined
  const code = cause instanceof Error && 'code' in cause ? cause.code : undefined
  return typeof code === 'string' ? code : 'connection failed'
}
