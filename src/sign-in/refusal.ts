import type { RefusalReason } from '../audit-events.js'
import { isPpoppoError, type PpoppoError } from '../errors.js'
import type { PageKind } from '../pages/texts.js'
import { ProviderRefusal } from '../provider/faults.js'

/** Why a callback signs nobody in: what the person sees, and what `onEvent` hears. */
export class Refusal extends Error {
  readonly page: PageKind
  readonly reason: RefusalReason
  /** For `onEvent`; never shown. */
  readonly detail: string
  override readonly cause?: PpoppoError

  constructor(page: PageKind, reason: RefusalReason, detail: string, cause?: PpoppoError) {
    super(detail)
    this.page = page
    this.reason = reason
    this.detail = detail
    if (cause) this.cause = cause
  }
}

/** OAuth error codes (*Sign-in reference*) -> page. */
const PAGE_BY_OAUTH_ERROR: ReadonlyMap<string, PageKind> = new Map([
  ['access_denied', 'access_denied'],
  ['account_setup_required', 'account_setup_required'],
  ['invalid_client', 'invalid_client'],
  ['unauthorized_client', 'invalid_client'],
  ['invalid_redirect_uri', 'invalid_redirect_uri'],
  ['invalid_scope', 'invalid_scope'],
  ['invalid_request', 'invalid_request'],
  ['invalid_grant', 'code_refused'],
  ['server_error', 'provider_unavailable'],
  ['temporarily_unavailable', 'provider_unavailable'],
])

/** The refusal for an `error` that PAS sent to the callback. */
export function refusalOfProvider(error: string): Refusal {
  const known = PAGE_BY_OAUTH_ERROR.get(error)
  // Only codes of the table are repeated: the parameter is whatever someone put into the URL.
  return new Refusal(
    known ?? 'provider_error',
    'provider_error',
    known ? `PAS answered ${error}` : 'PAS answered an unknown error',
  )
}

/** Whatever a step of the callback threw, as a refusal. */
export function toRefusal(error: unknown): Refusal {
  if (error instanceof Refusal) return error
  if (error instanceof ProviderRefusal) {
    const page = PAGE_BY_OAUTH_ERROR.get(error.oauthError) ?? 'provider_error'
    return new Refusal(page, 'exchange_failed', error.message, error)
  }
  if (!isPpoppoError(error)) throw error
  switch (error.code) {
    case 'scope_shortfall':
      return new Refusal('scope_shortfall', 'scope_shortfall', error.message, error)
    case 'provider_unavailable':
    case 'provider_misconfigured':
      return new Refusal('provider_unavailable', 'provider_unavailable', error.message, error)
    case 'store_unavailable':
    case 'store_full':
      return new Refusal('store_unavailable', 'store_unavailable', error.message, error)
    case 'sign_in_denied':
      return new Refusal('denied', 'denied_by_app', error.message, error)
    case 'provider_response_invalid':
    case 'subject_mismatch':
      return new Refusal('verification_failed', 'verification_failed', error.message, error)
    default:
      throw error
  }
}
