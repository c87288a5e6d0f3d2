import type { Runtime } from './lib/runtime.js'

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

/** A new id that joins what a person saw and what `onEvent` heard: 16 hexadecimal digits. */
export function newCorrelationId(runtime: Runtime): string {
  return runtime.randomBytes(8).toString('hex')
}

/**
 * Hands events to `onEvent`. An `onEvent` that throws breaks no request. Without one, what an operator must not miss
 * goes to `process.emitWarning`.
 */
export function createEventSink(onEvent: ((event: PpoppoEvent) => void) | undefined, runtime: Runtime): RaiseEvent {
  return (detail, correlationId = newCorrelationId(runtime)) => {
    if (!onEvent) {
      const text = toWarning(detail)
      if (text !== undefined) process.emitWarning(text, 'PpoppoWarning')
      return
    }
    try {
      // An async function is welcome where `void` is asked for, and its failure must not end the process.
      const returned: unknown = onEvent({ at: new Date(runtime.now()).toISOString(), correlationId, ...detail })
      if (returned !== undefined) Promise.resolve(returned).catch(warnOfThrow)
    } catch (error) {
      warnOfThrow(error)
    }
  }
}

function warnOfThrow(error: unknown): void {
  process.emitWarning(`onEvent threw ${error instanceof Error ? error.name : 'something'}`, 'PpoppoWarning')
}

/** What fails a refresh and does not pass by itself. */
const REFRESH_FAULTS = ['provider_misconfigured', 'provider_response_invalid']

function toWarning(detail: PpoppoEventDetail): string | undefined {
  switch (detail.type) {
    case 'warning':
    case 'provider_fault':
      return detail.detail
    case 'refresh_failed':
      return REFRESH_FAULTS.includes(detail.code) ? detail.detail : undefined
    case 'vault_unreadable':
      return `The sign-in ${detail.signInId} does not open with the configured vault keys.`
    default:
      return undefined
  }
}
