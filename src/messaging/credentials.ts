import { PpoppoError } from '../errors.js'
import { SingleFlight } from '../lib/single-flight.js'
import type { MessagingRuntime } from './runtime.js'
import { fetchToken, type GrantedToken } from './token-request.js'
import type { MessagingConfig } from './types.js'

/** A token is replaced this long before it expires, or at half of its life where that is later. */
const SKEW_MS = 60_000

/** Where access tokens of the Messaging API come from. Shows none of them when printed. */
export interface TokenSource {
  /**
   * A token that is good now; fetched once for all who ask at the same time.
   * @throws `messaging_not_configured`, `credentials_rejected`, `messaging_misconfigured`, `messaging_unavailable`,
   * `messaging_response_invalid`
   */
  token(): Promise<string>
  /** Forgets this token, since PCS refused it; another one that has come meanwhile stays. */
  drop(token: string): void
}

/** Tokens by the client credentials grant (RFC 6749 4.4). */
export function createTokenSource(config: MessagingConfig, runtime: MessagingRuntime): TokenSource {
  const flights = new SingleFlight<string>()
  let current: { readonly token: string; readonly refreshAt: number; readonly expiresAt: number } | undefined

  const fetchNext = async (): Promise<string> => {
    const before = current
    try {
      const granted = await fetchToken(config, runtime)
      current = toCurrent(granted, runtime.now())
      return granted.token
    } catch (error) {
      // PAS being away for a moment is no reason to fail while the old token is good.
      const isTransient = error instanceof PpoppoError && error.retryable
      if (isTransient && before && before === current && runtime.now() < before.expiresAt) return before.token
      throw error
    }
  }
  return {
    token: async () => {
      if (!config.credentials) throw notConfigured(config.missing)
      if (current && runtime.now() < current.refreshAt) return current.token
      return flights.run('token', fetchNext)
    },
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
