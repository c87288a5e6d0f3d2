import { ClientError, ResponseBodyError, WWWAuthenticateChallengeError } from 'openid-client'
import { PpoppoError } from '../errors.js'

/** PAS understood the call and said no, with an OAuth error code. */
export class ProviderRefusal extends PpoppoError {
  /** E.g. `'invalid_grant'`; `''` if the answer names none. */
  readonly oauthError: string
  readonly httpStatus: number

  constructor(operation: string, httpStatus: number, given: string) {
    const oauthError = FORM_OF_ERROR.test(given) ? given : ''
    const advice = ADVICE.get(oauthError) ?? 'Check the client registration and PPOPPO_AUTH_URL.'
    super(
      'provider_misconfigured',
      `PAS refused the ${operation} with ${oauthError || 'no error code'} (HTTP ${httpStatus}). ${advice}`,
    )
    this.oauthError = oauthError
    this.httpStatus = httpStatus
  }
}

/** The id_token does not verify: wrong issuer, audience, signature or another claim. */
export function idTokenFault(what: string): PpoppoError {
  return new PpoppoError('provider_response_invalid', `The id_token of PAS does not verify: ${what}.`)
}

/** Only the times of the id_token are wrong: PAS's clock and this machine's differ by more than the tolerance. */
export class ClockDifference extends PpoppoError {
  /** By how many seconds PAS's clock is ahead of this machine's; negative if it is behind. */
  readonly aheadSeconds: number

  constructor(claim: string, aheadSeconds: number) {
    const seconds = Math.round(Math.abs(aheadSeconds))
    const where = aheadSeconds > 0 ? 'ahead of' : 'behind'
    super(
      'provider_response_invalid',
      `The id_token of PAS does not verify: "${claim}". PAS's clock is ${seconds} s ${where} this machine's: check this machine's clock.`,
    )
    this.aheadSeconds = Math.sign(aheadSeconds) * seconds
  }
}

/** A refresh returned an id_token that does not belong to this sign-in, or was not issued by PAS. */
export class SignInMismatch extends PpoppoError {
  constructor(fault: PpoppoError) {
    super('provider_response_invalid', `${fault.message} It came with a refresh: the sign-in ends.`)
  }
}

/** An error code that is safe to log. */
const FORM_OF_ERROR = /^[\w.:-]{1,64}$/

/** What to do about the errors of the *Sign-in reference*, for whoever runs the app. */
const ADVICE: ReadonlyMap<string, string> = new Map([
  ['invalid_client', 'Check PPOPPO_CLIENT_ID, and that Ppoppo has approved the app.'],
  ['invalid_grant', 'The code or token has expired or was used before: sign in again.'],
  ['invalid_redirect_uri', 'Register the exact callback URL (base URL + mount path + /callback) for this client.'],
  ['invalid_scope', 'Check PPOPPO_SCOPE against what the client is registered for.'],
  ['unauthorized_client', 'This client may not use the authorization code flow: check its registration.'],
])

/**
 * Turns a failed call to PAS into one of our errors. 408, 429, 5xx, network errors and answers that are not JSON are
 * transient (`provider_unavailable`); any other refusal is a configuration error ({@link ProviderRefusal}); an answer
 * that does not verify is `provider_response_invalid`. No cause is attached, because openid-client's errors quote the
 * answer, tokens included.
 */
export function toProviderError(operation: string, error: unknown): PpoppoError {
  if (error instanceof PpoppoError) return error
  if (error instanceof ResponseBodyError) return fromStatus(operation, error.status, error.error)
  if (error instanceof WWWAuthenticateChallengeError) {
    return fromStatus(operation, error.status, error.cause[0]?.parameters['error'] ?? '')
  }
  if (error instanceof ClientError) {
    // openid-client wraps what our fetch threw.
    if (error.cause instanceof PpoppoError) return error.cause
    // Only 200 is a success here: any other 2xx means that nothing was done, or not yet.
    if (error.cause instanceof Response && error.cause.status !== 200)
      return fromStatus(operation, error.cause.status, '')
    if (error.cause instanceof Response || error.code === 'OAUTH_PARSE_ERROR') {
      return notJson(operation)
    }
    return new PpoppoError(
      'provider_response_invalid',
      `PAS's answer to the ${operation} does not verify (${error.code ?? error.name}).`,
    )
  }
  return new PpoppoError('provider_response_invalid', `PAS's answer to the ${operation} cannot be used.`)
}

/** What an HTTP status other than success means. */
export function fromStatus(operation: string, status: number, oauthError: string): PpoppoError {
  const isRefusal = status >= 400 && status < 500 && status !== 408 && status !== 429
  return isRefusal ? new ProviderRefusal(operation, status, oauthError) : transient(operation, `HTTP ${status}`)
}

/** A call that may work later. */
export function transient(operation: string, why: string): PpoppoError {
  return new PpoppoError('provider_unavailable', `PAS did not complete the ${operation} (${why}); try again.`, {
    retryAfterMs: 5_000,
  })
}

/** A page from a proxy, or from a server that is not PAS. */
export function notJson(operation: string): PpoppoError {
  return new PpoppoError(
    'provider_unavailable',
    `PAS did not complete the ${operation} (the answer is not the JSON it should be). Check that PPOPPO_AUTH_URL leads to PAS, and what answers in front of it; else try again.`,
    { retryAfterMs: 5_000 },
  )
}
