import { isTraced, type TraceContext, tracePoint } from './channels.js'
import type { Runtime } from './lib/runtime.js'

/** What `onEvent` receives, for logs, alerts and audits. Never contains a secret, a token or an e-mail address. */
export type PpoppoEvent = {
  /** When it happened, RFC 3339. */
  readonly at: string
  /** The same id is on the page that the person saw, if there was one. 16 hexadecimal digits. */
  readonly correlationId: string
} & PpoppoEventDetail

/** The events by `type`. */
export type PpoppoEventDetail =
  /** Somebody signed in. */
  | (OfSignIn & { readonly type: 'sign_in' })
  /** A callback created no sign-in. */
  | {
      readonly type: 'sign_in_refused'
      /** Why. */
      readonly reason: RefusalReason
      /** More about it, for an operator. */
      readonly detail?: string
    }
  /** A sign-in ended. */
  | (OfSignIn & {
      readonly type: 'sign_out'
      /** Why. */
      readonly reason: SignOutReason
    })
  /** PAS issued a new access token. */
  | (OfSignIn & { readonly type: 'token_refreshed' })
  /** PAS issued no new access token. */
  | (OfSignIn & Fault & { readonly type: 'refresh_failed' })
  /** PAS did not revoke a refresh token of a sign-in that has ended. */
  | {
      readonly type: 'revocation_failed'
      /** What failed, for an operator. */
      readonly detail: string
    }
  /** A sign-in cannot be decrypted with the configured vault keys. */
  | {
      readonly type: 'vault_unreadable'
      /** Which one. */
      readonly signInId: string
    }
  /** A client address exceeded a limit. */
  | {
      readonly type: 'rate_limited'
      /** Which limit. */
      readonly limit: 'login' | 'callback'
    }
  /** Redis does not respond, or rejects a command. */
  | {
      readonly type: 'store_unavailable'
      /** What was to be done. */
      readonly operation: string
      /** What failed, for an operator. */
      readonly detail: string
    }
  /** PAS does not respond, or its response is not usable. */
  | (Fault & {
      readonly type: 'provider_fault'
      /** What was to be done. */
      readonly operation: string
    })
  /** Something that should be changed, although nothing failed. */
  | {
      readonly type: 'warning'
      /** What it is about. */
      readonly code: WarningCode
      /** What to change, for an operator. */
      readonly detail: string
    }

interface OfSignIn {
  /** ppnum_id of the person. */
  readonly sub: string
  /** Which of their sign-ins. */
  readonly signInId: string
}

interface Fault {
  /** Code of the `PpoppoError`. */
  readonly code: string
  /** What failed, for an operator. */
  readonly detail: string
}

/** Why a callback created no sign-in. */
export type RefusalReason =
  /** The browser has no attempt with this `state`. */
  | 'no_attempt'
  /** The URL is not an authorization response. */
  | 'malformed'
  /** The attempt is older than 10 minutes. */
  | 'expired'
  /** This browser started the attempt a moment ago, but the store does not have it: a restart, another process, data loss. */
  | 'attempt_lost'
  /** `iss` names another issuer (RFC 9207). */
  | 'issuer_mismatch'
  /** PAS answered with an error instead of a code, such as `access_denied`. */
  | 'provider_error'
  /** PAS did not accept the code. */
  | 'exchange_failed'
  /** The id_token or userinfo failed verification. */
  | 'verification_failed'
  /** PAS granted fewer scopes than requested. */
  | 'scope_shortfall'
  /** `onSignIn` threw `denySignIn()`. */
  | 'denied_by_app'
  /** `onSignIn` failed or took too long. */
  | 'app_failed'
  /** The person signed out everywhere while this attempt was under way. */
  | 'signed_out_everywhere'
  | 'provider_unavailable'
  | 'store_unavailable'

/** Why a sign-in ended. */
export type SignOutReason =
  | 'sign_out'
  | 'sign_out_everywhere'
  /** Through `endSignIn()` in another browser. */
  | 'ended_elsewhere'
  /** The app ended the session itself: `req.session.destroy()`, or `regenerate()` without keeping its content. */
  | 'session_ended'
  /** Somebody signed in again in the same browser. */
  | 'replaced'
  /** PAS answered a refresh with `invalid_grant`. */
  | 'revoked'
  /** A refresh granted fewer scopes than requested. */
  | 'scope_reduced'
  /** A refresh returned an id_token for another person, or from another issuer. */
  | 'id_token_mismatch'
  /** PAS issued no refresh token, and the access token has expired. */
  | 'not_renewable'

/** What a `warning` is about. */
export type WarningCode =
  | 'config'
  | 'proxy_untrusted'
  /** A login was started under a different host than that of `baseUrl`. */
  | 'other_host'
  | 'secure_cookie_blocked'
  | 'development_secrets'
  | 'on_sign_out_failed'
  | 'on_ended_failed'
  | 'session_not_saved'
  /** Sign-ins are kept in memory, but this process is one of several. */
  | 'memory_store'
  /** A session that was started seconds ago is not in the store. */
  | 'session_lost'
  /** Redis may evict sign-ins, or lose them in a restart. */
  | 'redis'
  /** A consumer of delivery events has stopped, or keeps its position in memory. */
  | 'consumer'
  /** At `auth.ready()`: PCS responds, but rejects a call. */
  | 'messaging'

/** Raises an event. @param correlationId a new one by default */
export type RaiseEvent = (detail: PpoppoEventDetail, correlationId?: string) => void

/** A new id that links what a person saw to what `onEvent` received: 16 hexadecimal digits. */
export function newCorrelationId(runtime: Runtime): string {
  return runtime.randomBytes(8).toString('hex')
}

/** What {@link createEventSink} is made of. */
export interface EventSinkParts {
  readonly onEvent: ((event: PpoppoEvent) => void) | undefined
  readonly runtime: Runtime
}

/**
 * Passes events to `onEvent`. If it throws, no request fails. Without `onEvent`, events that an operator must not miss go to
 * `process.emitWarning`.
 */
export function createEventSink({ onEvent, runtime }: EventSinkParts): RaiseEvent {
  return (detail, correlationId = newCorrelationId(runtime)) => {
    if (isTraced('audit')) tracePoint('audit', toTrace(detail, correlationId))
    if (!onEvent) {
      const text = toWarning(detail)
      if (text !== undefined) process.emitWarning(text, 'PpoppoWarning')
      return
    }
    try {
      // An async function fits the type too, and its rejection must not end the process.
      const returned: unknown = onEvent({ at: new Date(runtime.now()).toISOString(), correlationId, ...detail })
      if (returned !== undefined) Promise.resolve(returned).catch(warnOfThrow)
    } catch (error) {
      warnOfThrow(error)
    }
  }
}

/** Without people: neither who it was, nor words that may quote something. */
function toTrace(detail: PpoppoEventDetail, correlationId: string): TraceContext {
  const reason = 'reason' in detail ? detail.reason : 'limit' in detail ? detail.limit : 'ok'
  return { correlationId, operation: detail.type, outcome: reason, ...('code' in detail && { code: detail.code }) }
}

function warnOfThrow(error: unknown): void {
  process.emitWarning(`onEvent threw ${error instanceof Error ? error.name : 'something'}`, 'PpoppoWarning')
}

/** Refresh failures that somebody has to fix. */
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
