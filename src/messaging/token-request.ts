import { PpoppoError } from '../errors.js'
import { parseJsonObject } from '../lib/guards.js'
import { onAbort } from '../lib/on-abort.js'
import type { MessagingConfig } from './options.js'
import { toRetryAfterMs } from './retry-after.js'
import type { MessagingRuntime } from './runtime.js'

/** The token call ends after this long, body included. */
export const TOKEN_DEADLINE_MS = 10_000
const MAX_ANSWER_BYTES = 64 * 1024
/** Where the answer names no `expires_in`, which RFC 6749 5.1 only recommends. */
const UNSAID_LIFETIME_MS = 300_000

/** RFC 6749 5.2. */
const OAUTH_ERRORS = [
  'invalid_request',
  'invalid_client',
  'invalid_grant',
  'unauthorized_client',
  'unsupported_grant_type',
  'invalid_scope',
] as const

/** What PAS granted. */
export interface GrantedToken {
  readonly token: string
  readonly lifetimeMs: number
}

/**
 * Asks PAS for an access token: `grant_type=client_credentials` with id and secret in the form, and no scope, as the
 * official crate does. Bounded in time and size; follows no redirect; says nothing of the answer in its errors.
 */
export async function fetchToken(
  config: MessagingConfig,
  runtime: MessagingRuntime,
  closing?: AbortSignal,
): Promise<GrantedToken> {
  const { credentials, tokenUrl } = config
  if (!credentials) throw new TypeError('no credentials')
  const body = new URLSearchParams({
    grant_type: 'client_credentials',
    client_id: credentials.clientId,
    client_secret: credentials.clientSecret,
  })
  const call = new AbortController()
  const letGo = closing && onAbort(closing, () => call.abort())
  const cancelDeadline = runtime.after(TOKEN_DEADLINE_MS, () => call.abort())
  try {
    const answer = await runtime.fetch(tokenUrl, {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded', accept: 'application/json' },
      body: body.toString(),
      redirect: 'manual',
      signal: call.signal,
    })
    const text = await readBounded(answer)
    if (answer.status === 200) return toGranted(text, tokenUrl)
    throw ofStatus(answer, text, config)
  } catch (error) {
    if (error instanceof PpoppoError) throw error
    // No cause: undici's errors may quote what was sent.
    if (closing?.aborted) throw new PpoppoError('closed', 'The Messaging client was closed while it asked for a token.')
    const why = call.signal.aborted ? `no answer within ${TOKEN_DEADLINE_MS / 1000} s` : networkCode(error)
    throw unavailable(tokenUrl, why)
  } finally {
    cancelDeadline()
    letGo?.()
  }
}

async function readBounded(answer: Response): Promise<string> {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of answer.body ?? []) {
    size += chunk.byteLength
    if (size > MAX_ANSWER_BYTES) throw new Error('too long')
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}

function toGranted(text: string, tokenUrl: string): GrantedToken {
  const answer = parseJsonObject(text)
  const token = answer?.['access_token']
  const type = answer?.['token_type'] ?? 'Bearer'
  // Anything else would not survive as a header, or end it.
  const isToken = typeof token === 'string' && /^[\x21-\x7e]{1,16384}$/.test(token)
  if (!isToken || typeof type !== 'string' || type.toLowerCase() !== 'bearer') {
    throw new PpoppoError(
      'messaging_response_invalid',
      `The token endpoint ${tokenUrl} answered without a usable bearer token. Check PAS_TOKEN_URL.`,
    )
  }
  const seconds = Number(answer?.['expires_in'])
  return { token, lifetimeMs: seconds > 0 && Number.isFinite(seconds) ? seconds * 1_000 : UNSAID_LIFETIME_MS }
}

/** Which codes PAS answers with to a wrong secret is `invalid_client`, 400 or 401. */
function ofStatus(answer: Response, text: string, { tokenUrl, credentials }: MessagingConfig): PpoppoError {
  const { status } = answer
  const given = parseJsonObject(text)?.['error']
  // Only a code that is known is repeated: the rest may be anything, even what was sent.
  const oauthError =
    typeof given === 'string' ? (OAUTH_ERRORS.find((code) => code === given) ?? 'another error') : undefined
  if (status === 408 || status === 429 || status >= 500) {
    return unavailable(tokenUrl, `HTTP ${status}`, toRetryAfterMs(answer.headers.get('retry-after') ?? undefined))
  }
  if (oauthError !== undefined || status === 401) {
    return new PpoppoError(
      'credentials_rejected',
      `PAS refuses the client ${credentials?.clientId ?? ''} with ${oauthError ?? `HTTP ${status}`}. Check PAS_PCS_CLIENT_ID and PAS_PCS_CLIENT_SECRET (the External API client's, not the login client's), and that PAS_TOKEN_URL is of their environment.`,
    )
  }
  return new PpoppoError(
    'messaging_misconfigured',
    `${tokenUrl} does not answer as a token endpoint does (HTTP ${status}). Set PAS_TOKEN_URL to the full endpoint, such as https://accounts.ppoppo.com/oauth/token.`,
  )
}

function unavailable(tokenUrl: string, why: string, retryAfterMs = 5_000): PpoppoError {
  return new PpoppoError(
    'messaging_unavailable',
    `The token endpoint ${tokenUrl} gives no token (${why}). Check PAS_TOKEN_URL and the network.`,
    { retryAfterMs },
  )
}

function networkCode(error: unknown): string {
  const cause = typeof error === 'object' && error !== null && 'cause' in error ? error.cause : undefined
  const code = typeof cause === 'object' && cause !== null && 'code' in cause ? cause.code : undefined
  return typeof code === 'string' ? code : 'connection failed'
}
