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
 * Why a request brought no token. `refused`: PAS said so, in the words of RFC 6749 5.2; `away`: nobody answers, or not
 * now; `page`: something answers that is no token endpoint, for a while or for good; `set_up`: it cannot be reached as
 * things are set up.
 */
export type TokenFaultKind = 'refused' | 'away' | 'page' | 'set_up'

/** A token request that failed; {@link TokenFault.toError} makes the app's error of it. */
export class TokenFault extends Error {
  readonly kind: TokenFaultKind
  readonly code: PpoppoErrorCode
  /** What PAS asks to wait, in milliseconds. */
  readonly retryAfterMs: number | undefined

  /** @param code of the error where the fault does not pass */
  constructor(kind: TokenFaultKind, code: PpoppoErrorCode, text: string, retryAfterMs?: number) {
    super(text)
    this.kind = kind
    this.code = code
    this.retryAfterMs = retryAfterMs
  }

  /** @param hasBeenGranted whether there ever was a token: then what answers in its place now does so for a while */
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

/** The token call ends after this long, body included. */
export const TOKEN_DEADLINE_MS = 10_000
const MAX_ANSWER_BYTES = 64 * 1024
/** Where the answer names no `expires_in`, which RFC 6749 5.1 only recommends. */
const UNSAID_LIFETIME_MS = 300_000
/** No token is kept for longer, whatever its `expires_in`. */
const LONGEST_LIFETIME_MS = 86_400_000

/** RFC 6749 5.2: the client is refused. A status beside it that says "later" wins. */
const OAUTH_ERRORS = [
  'invalid_request',
  'invalid_client',
  'invalid_grant',
  'unauthorized_client',
  'unsupported_grant_type',
  'invalid_scope',
] as const
/** Codes of servers that say "not now" with a status that says something else. */
const PASSING_ERRORS: readonly string[] = ['server_error', 'temporarily_unavailable', 'slow_down', 'rate_limited']

/** What PAS granted. */
export interface GrantedToken {
  readonly token: string
  /** Counted from `askedAt`, by the monotonic clock. */
  readonly lifetimeMs: number
  readonly askedAt: number
}

/**
 * Asks PAS for an access token: `grant_type=client_credentials` with id and secret in the form, and no scope, as the
 * official crate does. Bounded in time and size; follows no redirect; says nothing of the answer in its errors.
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
    // HTTP/2 is nothing that is asked for here.
    if (fault) throw explainSetUpFault(fault === 'no_http2' ? 'refused' : fault, tokenUrl, whyFailed(error))
    // No cause: undici's errors may quote what was sent.
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
  // Anything else would not survive as a header, or end it.
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

/** Only PAS's own word is a verdict, an error of RFC 6749 5.2 in JSON; every other answer may be a gateway's. */
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
      `PAS refuses the client ${credentials?.clientId ?? ''} with ${refusal}. Check PAS_PCS_CLIENT_ID and PAS_PCS_CLIENT_SECRET (the External API client's, not the login client's), and that PAS_TOKEN_URL is of their environment.`,
    )
  }
  return new TokenFault(
    'page',
    'messaging_misconfigured',
    `${tokenUrl} does not answer as a token endpoint does (HTTP ${status}). If it stays so, set PAS_TOKEN_URL to the full endpoint, such as https://accounts.ppoppo.com/oauth/token.`,
  )
}

/** Only a code that is known is repeated: the rest may be anything, even what was sent. */
function refusalIn(text: string, status: number): string | undefined {
  const given = parseJsonObject(text)?.['error']
  const known = OAUTH_ERRORS.find((code) => code === given)
  if (known !== undefined && status >= 400) return known
  // Codes of PAS's own look like those; what frameworks write for a status ("Not Found") does not.
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

/** In what a fetch throws, and in what that was caused by: a fetch of the app's own may have wrapped it. */
function setUpFaultOf(error: unknown, depth = 0): SetUpFault | undefined {
  if (!isPlainObject(error) || depth > 3) return undefined
  const { code, message, cause } = error
  // Other messages name the host.
  const text = code === 'EPROTO' ? message : code
  return (typeof text === 'string' ? setUpFaultIn(text) : undefined) ?? setUpFaultOf(cause, depth + 1)
}

function afterMsOf({ headers }: ReadAnswer): number | undefined {
  return readRetryHint({ text: (name) => headers.get(name) ?? undefined, now: Date.now() })?.afterMs
}

function whyFailed(error: unknown): string {
  return error instanceof NoAnswer ? `of the option "fetch": ${error.message}` : networkCode(error)
}
