/** What the library tells `onEvent`: for logs, alerts and audits. Never a secret, a token or an e-mail address. */
export type PpoppoEvent = {
  /** RFC 3339. */
  readonly at: string
  /** The same id is on the page the person saw, where there was one. */
  readonly correlationId: string
} & PpoppoEventDetail

/** The events by `type`. */
export type PpoppoEventDetail =
  | { readonly type: 'sign_in'; readonly sub: string; readonly signInId: string }
  | { readonly type: 'sign_in_refused'; readonly reason: RefusalReason; readonly detail?: string }
  | { readonly type: 'sign_out'; readonly sub: string; readonly signInId: string; readonly reason: SignOutReason }
  | { readonly type: 'token_refreshed'; readonly sub: string; readonly signInId: string }
  | {
      readonly type: 'refresh_failed'
      readonly sub: string
      readonly signInId: string
      readonly code: string
      readonly detail: string
    }
  | { readonly type: 'revocation_failed'; readonly detail: string }
  | { readonly type: 'vault_unreadable'; readonly signInId: string }
  | { readonly type: 'rate_limited'; readonly limit: 'login' | 'callback' }
  | { readonly type: 'store_unavailable'; readonly operation: string; readonly detail: string }
  | { readonly type: 'provider_fault'; readonly operation: string; readonly code: string; readonly detail: string }
  | { readonly type: 'warning'; readonly code: WarningCode; readonly detail: string }

/** Why a callback created no sign-in. */
export type RefusalReason =
  | 'no_attempt'
  | 'malformed'
  | 'expired'
  /** Begun in this browser a moment ago, but not in the store: a restart, another process, a Redis that forgets. */
  | 'attempt_lost'
  | 'issuer_mismatch'
  | 'provider_error'
  | 'exchange_failed'
  | 'verification_failed'
  | 'scope_shortfall'
  | 'denied_by_app'
  | 'app_failed'
  | 'signed_out_everywhere'
  | 'provider_unavailable'
  | 'store_unavailable'

/** Why a sign-in ended. */
export type SignOutReason =
  | 'sign_out'
  | 'sign_out_everywhere'
  | 'ended_elsewhere'
  /** The app ended the session by itself: `req.session.destroy()`, or `regenerate()` without what was in it. */
  | 'session_ended'
  | 'replaced'
  | 'revoked'
  | 'scope_reduced'
  /** A refresh brought an id_token about somebody else, or one that is not by PAS. */
  | 'id_token_mismatch'
  /** PAS gave no refresh token, and the access token has expired. */
  | 'not_renewable'

/** Things worth changing that stop nothing. */
export type WarningCode =
  | 'config'
  | 'proxy_untrusted'
  /** A login was begun under another host than that of `baseUrl`. */
  | 'other_host'
  | 'secure_cookie_blocked'
  | 'development_secrets'
  | 'on_sign_out_failed'
  | 'session_not_saved'
  /** Sign-ins are kept in memory, and this process is one of several. */
  | 'memory_store'
  /** A session that was begun seconds ago is not in the store. */
  | 'session_lost'
  /** Redis may delete sign-ins, or forget them at a restart. */
  | 'redis'
  /** A consumer of delivery events has ended, or keeps its place in memory. */
  | 'consumer'
  /** At `auth.ready()`: PCS is there, and refuses a call. */
  | 'messaging'

/** Raises an event. `correlationId` is made when the place has none. */
export type RaiseEvent = (detail: PpoppoEventDetail, correlationId?: string) => void
