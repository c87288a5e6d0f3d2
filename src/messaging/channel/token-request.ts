import type { MessagingConfig } from '../../config/messaging-options.js'
import { PpoppoError, type PpoppoErrorCode } from '../../errors.js'
import { networkCode } from '../../lib/error-code.js'
import { isPlainObject, parseJsonObject } from '../../lib/guards.js'
import { ask, NoAnswer, type ReadAnswer } from '../../lib/http.js'
import { onAbort } from '../../lib/on-abort.js'
import { readRetryHint } from '../lib/retry-after.js'
import type { MessagingRuntime } from '../lib/runtime.js'
import { explainSetUp, type SetUpFault, setUpFaultIn } from './set-up-fault.js'

/**
 * Why a token request failed. `refused`: PAS rejected the client with an error of RFC 6749 5.2; `away`: no answer, or a
 * temporary error; `page`: what answers is not a token endpoint, temporarily or permanently; `set_up`: the endpoint cannot be
 * reached with this configuration.
 */
export type TokenFaultKind = 'refused' | 'away' | 'page' | 'set_up'

/** A failed token request; {@link TokenFault.toError} turns it into the app's error. */
export class TokenFault extends Error {
  readonly kind: TokenFaultKind
  readonly code: PpoppoErrorCode
  /** How long PAS asks to wait, in milliseconds. */
  readonly retryAfterMs: number | undefined

  /** @param code of the error if the fault is permanent */
  constructor(kind: TokenFaultKind, code: PpoppoErrorCode, text: string, retryAfterMs?: number) {
    super(text)
    this.kind = kind
    this.code = code
    this.retryAfterMs = retryAfterMs
  }

  /** @param hasBeenGranted whether a token was ever granted: then a page that answers now is temporary */
  toError(hasBeenGranted: boolean): PpoppoError {
    const isForGood = this.kind !== 'away' && !(this.kind === 'page' && hasBeenGranted)
    if (isForGood) return new PpoppoError(this.code, this.message)
    return new PpoppoError(
      'messaging_unavailable',
      this.message,
      this.retryAfterMs === undefined ? {} : { retryAfterMs: this.retryAfterMs },
    )
  }
}

/** Limit of a token request including its body, in milliseconds. */
export const TOKEN_DEADLINE_MS = 10_000
const MAX_ANSWER_BYTES = 64 * 1024
/** Lifetime if the response has no `expires_in`, which RFC 6749 5.1 only recommends. */
const UNSAID_LIFETIME_MS = 300_000
/** No token is kept for longer than this, whatever its `expires_in`. */
const LONGEST_LIFETIME_MS = 86_400_000

/** Errors of RFC 6749 5.2 that reject the client. An HTTP status that means "later" takes precedence. */
const OAUTH_ERRORS = [
  'invalid_request',
  'invalid_client',
  'invalid_grant',
  'unauthorized_client',
  'unsupported_grant_type',
  'invalid_scope',
] as const
/** Error codes that mean "not now", whatever the status. */
const PASSING_ERRORS: readonly string[] = ['server_error', 'temporarily_unavailable', 'slow_down', 'rate_limited']

/** A token that PAS granted. */
export interface GrantedToken {
  readonly token: string
  /** Counted from `askedAt`, by the monotonic clock. */
  readonly lifetimeMs: number
  readonly askedAt: number
}

/**
 * Asks PAS for an access token: `grant_type=client_credentials` with id and secret in the form, and no scope, as the
 * official crate does. Bounded in time and size; follows no redirect; its errors never quote the response.
 * @throws TokenFault
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
  const askedAt = runtime.monotonic()
  const call = new AbortController()
  const release = closing && onAbort(closing, () => call.abort())
  const cancelDeadline = runtime.after(TOKEN_DEADLINE_MS, () => call.abort())
  try {
    const request = {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded', accept: 'application/json' },
      body: body.toString(),
      redirect: 'manual',
      signal: call.signal,
    } as const
    const answer = await ask(config.fetch ?? runtime.fetch, tokenUrl, request, MAX_ANSWER_BYTES)
    if (answer.status === 200) return { ...toGranted(answer.body, tokenUrl), askedAt }
    throw explainStatus(answer, config)
  } catch (error) {
    if (error instanceof TokenFault) throw error
    const fault = call.signal.aborted ? undefined : setUpFaultOf(error)
    // This request does not need HTTP/2.
    if (fault) throw explainSetUpFault(fault === 'no_http2' ? 'refused' : fault, tokenUrl, whyFailed(error))
    // No cause: undici's errors may quote the request.
    throw away(tokenUrl, call.signal.aborted ? `no answer within ${TOKEN_DEADLINE_MS / 1000} s` : whyFailed(error))
  } finally {
    cancelDeadline()
    release?.()
  }
}

function toGranted(text: string, tokenUrl: string): Omit<GrantedToken, 'askedAt'> {
  const answer = parseJsonObject(text)
  const token = answer?.['access_token']
  const type = answer?.['token_type'] ?? 'Bearer'
  // Anything else would be altered by, or end, the header it is sent in.
  const isToken = typeof token === 'string' && /^[\x21-\x7e]{1,16384}$/.test(token)
  if (!isToken || typeof type !== 'string' || type.toLowerCase() !== 'bearer') {
    const what = `The token endpoint ${tokenUrl} answered without a usable bearer token. Check PAS_TOKEN_URL.`
    throw new TokenFault('page', 'messaging_response_invalid', what)
  }
  return { token, lifetimeMs: toLifetimeMs(answer?.['expires_in']) }
}

function toLifetimeMs(expiresIn: unknown): number {
  const seconds = Number(expiresIn)
  return seconds > 0 ? Math.min(seconds * 1_000, LONGEST_LIFETIME_MS) : UNSAID_LIFETIME_MS
}

/** Only an error of RFC 6749 5.2 in JSON is PAS's own verdict; every other response may be a gateway's. */
function explainStatus(answer: ReadAnswer, { tokenUrl, credentials }: MessagingConfig): TokenFault {
  const { status } = answer
  if (status === 408 || status === 429 || status >= 500) {
    return away(tokenUrl, `HTTP ${status}`, afterMsOf(answer))
  }
  const refusal = refusalIn(answer.body, status)
  if (refusal !== undefined) {
    return new TokenFault(
      'refused',
      'credentials_rejected',
      `PAS refuses the client ${credentials?.clientId ?? ''} with ${refusal}. Check PAS_PCS_CLIENT_ID and PAS_PCS_CLIENT_SECRET (the External API client's, not the login client's), and that PAS_TOKEN_URL belongs to their environment.`,
    )
  }
  return new TokenFault(
    'page',
    'messaging_misconfigured',
    `${tokenUrl} does not answer as a token endpoint does (HTTP ${status}). If it stays so, set PAS_TOKEN_URL to the full endpoint, such as https://accounts.ppoppo.com/oauth/token.`,
  )
}

/** Only a known code is quoted: anything else may be anything, even the secret. */
function refusalIn(text: string, status: number): string | undefined {
  const given = parseJsonObject(text)?.['error']
  const known = OAUTH_ERRORS.find((code) => code === given)
  if (known !== undefined && status >= 400) return known
  // PAS's own codes look like those; what frameworks write for a status ("Not Found") does not.
  const isCode = typeof given === 'string' && /^[a-z]+(?:_[a-z]+)+$/.test(given) && !PASSING_ERRORS.includes(given)
  return isCode && (status === 400 || status === 401) ? 'another error' : undefined
}

function away(tokenUrl: string, why: string, retryAfterMs?: number): TokenFault {
  const what = `The token endpoint ${tokenUrl} gives no token (${why}). Check PAS_TOKEN_URL and the network.`
  return new TokenFault('away', 'messaging_unavailable', what, retryAfterMs)
}

function explainSetUpFault(fault: SetUpFault, tokenUrl: string, code: string): TokenFault {
  const what = explainSetUp(fault, tokenUrl, 'PAS_TOKEN_URL', ` (${code})`)
  return new TokenFault('set_up', 'messaging_misconfigured', `No token: ${what}`)
}

/** Looks in the error of a fetch and in its causes, since the app's own fetch may have wrapped it. */
function setUpFaultOf(error: unknown, depth = 0): SetUpFault | undefined {
  if (!isPlainObject(error) || depth > 3) return undefined
  const { code, message, cause } = error
  // Other messages contain the host name.
  const text = code === 'EPROTO' ? message : code
  return (typeof text === 'string' ? setUpFaultIn(text) : undefined) ?? setUpFaultOf(cause, depth + 1)
}

function afterMsOf({ headers }: ReadAnswer): number | undefined {
  return readRetryHint({ text: (name) => headers.get(name) ?? undefined, now: Date.now() })?.afterMs
}

function whyFailed(error: unknown): string {
  return error instanceof NoAnswer ? `of the option "fetch": ${error.message}` : networkCode(error)
}
