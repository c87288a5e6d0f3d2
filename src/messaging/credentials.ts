import { PpoppoError } from '../errors.js'
import { SingleFlight } from '../lib/single-flight.js'
import { TIMED_OUT, within } from '../lib/wait.js'
import type { MessagingConfig } from './options.js'
import type { MessagingRuntime } from './runtime.js'
import { fetchToken, type GrantedToken } from './token-request.js'

/** A token is replaced this long before it expires, or at half of its life where that is later. */
const SKEW_MS = 60_000
/** How long a call waits for the next token while the present one is good. */
const PATIENCE_MS = 1_000
/** How soon PAS is asked again after it gave no token while the present one is good. */
const RETRY_MS = 5_000

/** Where access tokens of the Messaging API come from. Shows none of them when printed. */
export interface TokenSource {
  /**
   * A token that is good now; fetched once for all who ask at the same time.
   * @throws `messaging_not_configured`, `credentials_rejected`, `messaging_misconfigured`, `messaging_unavailable`,
   * `messaging_response_invalid`
   */
  token(): Promise<string>
  /** Ends a request that is under way. */
  close(): void
  /** Forgets this token, since PCS refused it; another one that has come meanwhile stays. */
  drop(token: string): void
}

/** Tokens by the client credentials grant (RFC 6749 4.4). */
export function createTokenSource(config: MessagingConfig, runtime: MessagingRuntime): TokenSource {
  const flights = new SingleFlight<string>()
  let current: { readonly token: string; readonly refreshAt: number; readonly expiresAt: number } | undefined

  const closing = new AbortController()

  const fetchNext = async (): Promise<string> => {
    const before = current
    try {
      const granted = await fetchToken(config, runtime, closing.signal)
      current = toCurrent(granted, runtime.now())
      return granted.token
    } catch (error) {
      // PAS being away for a moment is no reason to fail while the old token is good.
      const isTransient = error instanceof PpoppoError && error.retryable
      if (isTransient && before && before === current && runtime.now() < before.expiresAt) {
        current = { ...before, refreshAt: runtime.now() + RETRY_MS }
        return before.token
      }
      throw error
    }
  }
  return {
    token: async () => {
      if (!config.credentials) throw notConfigured(config.missing)
      if (current && runtime.now() < current.refreshAt) return current.token
      const next = flights.run('token', fetchNext)
      if (!current || runtime.now() >= current.expiresAt) return next
      // The old one is good still: its successor is waited for, but not for as long as a silent PAS takes.
      const { token } = current
      const soon = await within(next, PATIENCE_MS)
      return soon === TIMED_OUT ? token : soon
    },
    close: () => closing.abort(),
    drop: (token) => {
      if (current?.token === token) current = undefined
    },
  }
}

function toCurrent(
  { token, lifetimeMs }: GrantedToken,
  now: number,
): NonNullable<unknown> & {
  readonly token: string
  readonly refreshAt: number
  readonly expiresAt: number
} {
  return { token, refreshAt: now + lifetimeMs - Math.min(SKEW_MS, lifetimeMs / 2), expiresAt: now + lifetimeMs }
}

/** The error of every call of a client that has no credentials. */
export function notConfigured(missing: readonly string[]): PpoppoError {
  const names = missing.join(' and ')
  return new PpoppoError(
    'messaging_not_configured',
    `The Messaging API is not configured: set ${names}, as Ppoppo gave it for your External API client (not the login client).`,
  )
}
