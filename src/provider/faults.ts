import { ClientError, ResponseBodyError, WWWAuthenticateChallengeError } from 'openid-client'
import { PpoppoError } from '../errors.js'

/** PAS understood the call and said no, with an OAuth error code. */
export class ProviderRefusal extends PpoppoError {
  /** E.g. `'invalid_grant'`; `''` where the answer names none. */
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

/** The id_token does not verify: who it is for, by whom, or for what. */
export function idTokenFault(what: string): PpoppoError {
  return new PpoppoError('provider_response_invalid', `The id_token of PAS does not verify: ${what}.`)
}

/** The id_token is right but for its times: PAS's clock and this machine's differ by more than is allowed. */
export class ClockDifference extends PpoppoError {
  /** By how many seconds PAS's clock is ahead of this machine's; negative where it is behind. */
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

/** A refresh was answered with an id_token that is not about this sign-in, or is not by PAS. */
export class SignInMismatch extends PpoppoError {
  constructor(fault: PpoppoError) {
    super('provider_response_invalid', `${fault.message} It came with a refresh: the sign-in ends.`)
  }
}

/** An error code as it may stand in a log line. */
const FORM_OF_ERROR = /^[\w.:-]{1,64}$/

/** The errors of the *Sign-in reference*, for the person who runs the app. */
const ADVICE: ReadonlyMap<string, string> = new Map([
  ['invalid_client', 'Check PPOPPO_CLIENT_ID, and that Ppoppo has approved the app.'],
  ['invalid_grant', 'The code or token has expired or was used before: sign in again.'],
  ['invalid_redirect_uri', 'Register the exact callback URL (base URL + mount path + /callback) for this client.'],
  ['invalid_scope', 'Check PPOPPO_SCOPE against what the client is registered for.'],
  ['unauthorized_client', 'This client may not use the authorization code flow: check its registration.'],
])

/**
 * What went wrong in a call to PAS, as one of our errors. 408, 429, 5xx, the network and an answer that is none are
 * transient (`provider_unavailable`); any other refusal is a fault of configuration ({@link ProviderRefusal}); an answer
 * that does not verify is `provider_response_invalid`. No cause is attached: openid-client's errors quote the answer,
 * tokens included.
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
    // Nothing but 200 is a success here: another one says that nothing was done, or not yet.
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

/** A page of a proxy, or of something that is no PAS. */
export function notJson(operation: string): PpoppoError {
  return new PpoppoError(
    'provider_unavailable',
    `PAS did not complete the ${operation} (the answer is not the JSON it should be). Check that PPOPPO_AUTH_URL leads to PAS, and what answers in front of it; else try again.`,
    { retryAfterMs: 5_000 },
  )
}
