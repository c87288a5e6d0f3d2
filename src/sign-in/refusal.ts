import type { RefusalReason } from '../audit-events.js'
import { isPpoppoError, type PpoppoError, type PpoppoErrorCode } from '../errors.js'
import type { PageKind } from '../pages/text-types.js'
import { ProviderRefusal } from '../provider/faults.js'

/** Parts of a {@link Refusal}. */
export interface RefusalParts {
  readonly page: PageKind
  readonly reason: RefusalReason
  /** For `onEvent`; never shown. @default none */
  readonly detail?: string
  /** The error behind it, if there is one. */
  readonly cause?: PpoppoError | undefined
}

/** Why a callback signs nobody in: the page that the person sees, and what `onEvent` receives. */
export class Refusal extends Error {
  readonly page: PageKind
  readonly reason: RefusalReason
  /** For `onEvent`; never shown. `''` if there is none. */
  readonly detail: string
  override readonly cause?: PpoppoError

  constructor({ page, reason, detail = '', cause }: RefusalParts) {
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
  // Only codes in the table are quoted: the parameter is whatever somebody put into the URL.
  const detail = known ? `PAS answered ${error}` : 'PAS answered an unknown error'
  return new Refusal({ page: known ?? 'provider_error', reason: 'provider_error', detail })
}

/** Turns what a step of the callback threw into a refusal. @throws `error` itself if it is unexpected, i.e. a bug */
export function toRefusal(error: unknown): Refusal {
  if (error instanceof Refusal) return error
  if (error instanceof ProviderRefusal) {
    const page = PAGE_BY_OAUTH_ERROR.get(error.oauthError) ?? 'provider_error'
    return new Refusal({ page, reason: 'exchange_failed', detail: error.message, cause: error })
  }
  const found = isPpoppoError(error) ? PAGE_BY_CODE[error.code] : undefined
  if (!isPpoppoError(error) || !found) throw error
  const [page, reason] = found
  return new Refusal({ page, reason, detail: error.message, cause: error })
}

/** Error code -> page and reason. */
const PAGE_BY_CODE: { readonly [code in PpoppoErrorCode]?: readonly [PageKind, RefusalReason] } = {
  scope_shortfall: ['scope_shortfall', 'scope_shortfall'],
  provider_unavailable: ['provider_unavailable', 'provider_unavailable'],
  provider_misconfigured: ['provider_unavailable', 'provider_unavailable'],
  store_unavailable: ['store_unavailable', 'store_unavailable'],
  store_full: ['store_unavailable', 'store_unavailable'],
  sign_in_denied: ['denied', 'denied_by_app'],
  provider_response_invalid: ['verification_failed', 'verification_failed'],
  subject_mismatch: ['verification_failed', 'verification_failed'],
}
