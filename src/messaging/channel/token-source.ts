import type { MessagingConfig } from '../../config/messaging-options.js'
import { PpoppoError } from '../../errors.js'
import { TIMED_OUT, within } from '../../lib/wait.js'
import { doubled } from '../lib/backoff.js'
import type { MessagingRuntime } from '../lib/runtime.js'
import type { CallScope } from '../lib/scope.js'
import { TokenRequests } from './shared-token-requests.js'
import { fetchToken, type GrantedToken, TokenFault } from './token-request.js'

/** A token is replaced this long before it expires, or at half of its lifetime if that is later. */
const SKEW_MS = 60_000
/** How long a call waits for the next token while the current one is valid. */
const PATIENCE_MS = 1_000
/** How soon PAS is asked again after a failure while the current token is valid. */
const RETRY_MS = 5_000
/** Pauses between tries while there is no token, shared by all calls of a client. */
const FIRST_PAUSE_MS = 200
const LONGEST_PAUSE_MS = 2_000
/** After this many pages in a row, an endpoint that never granted a token is taken for a wrong one. */
const MAX_PAGES = 5
/** Tries of one call; about ten seconds with their pauses. */
const MAX_TRIES = 10
/** If less than this share of a call's time is left, a token would come too late. */
const SHARE_FOR_CALL = 0.25

/** The source of access tokens for the Messaging API. Printing it shows no token. */
export interface TokenSource {
  /**
   * A valid token; concurrent callers share one request.
   * @throws `messaging_not_configured`, `credentials_rejected`, `messaging_misconfigured`, `messaging_unavailable`,
   * `messaging_response_invalid`, `closed`
   */
  token(): Promise<string>
  /** The token, if there is one that need not be replaced yet: most calls need nothing else. */
  current(): string | undefined
  /** The same as {@link token} for a call: retried until the scope ends. @throws also the reason the scope ended with */
  tokenFor(scope: CallScope): Promise<string>
  /**
   * Whether the error that `token()` just rejected with may be temporary: a gateway or nobody answers. Also if a
   * configuration that now fails has worked before; that matters to callers without a deadline, not to a call.
   */
  mayPass(error: unknown): boolean
  /** Aborts requests in flight. */
  close(): void
  /** Forgets this token because PCS rejected it; a newer one is kept. */
  drop(token: string): void
  /** Has this token replaced because a gateway rejected it; it is used until there is another one. */
  doubt(token: string): void
}

interface CurrentToken {
  readonly token: string
  readonly refreshAt: number
  readonly expiresAt: number
}

/** What {@link createTokenSource} is made of. */
export interface TokenSourceParts {
  readonly config: MessagingConfig
  readonly runtime: MessagingRuntime
}

/** Tokens by the client credentials grant (RFC 6749 4.4). */
export function createTokenSource({ config, runtime }: TokenSourceParts): TokenSource {
  const requests = new TokenRequests((signal) => fetchToken(config, runtime, signal), runtime)
  let current: CurrentToken | undefined
  let isClosed = false
  let hasBeenGranted = false
  /** Failures in a row, how many of them were pages, and when to ask again. */
  let failures = 0
  let pages = 0
  let lastFault: { readonly fault: TokenFault; readonly error: PpoppoError } | undefined
  let nextAt = 0

  const ask = async (): Promise<string> => {
    try {
      const granted = await requests.ask()
      if (current?.token !== granted.token) current = toCurrent(granted)
      hasBeenGranted = true
      failures = 0
      return granted.token
    } catch (error) {
      if (isClosed) throw closed()
      throw error instanceof TokenFault ? noted(error) : error
    }
  }
  /** Counts a failure once, however many callers wait for it. */
  const noted = (fault: TokenFault): PpoppoError => {
    if (lastFault?.fault === fault) return lastFault.error
    failures++
    pages = fault.kind === 'page' ? pages + 1 : 0
    const longestMs = doubled(FIRST_PAUSE_MS, failures - 1, LONGEST_PAUSE_MS)
    nextAt = runtime.monotonic() + Math.max((longestMs * (1 + runtime.random())) / 2, fault.retryAfterMs ?? 0)
    lastFault = { fault, error: fault.toError(hasBeenGranted) }
    return lastFault.error
  }
  /** The next token if it comes soon, else the current one, which stays valid whatever PAS answers. */
  const renewed = async (present: CurrentToken): Promise<string> => {
    try {
      const next = await within(ask(), PATIENCE_MS)
      if (next !== TIMED_OUT) return next
    } catch (error) {
      if (isClosed || runtime.monotonic() >= present.expiresAt) throw error
    }
    // The next token takes over whenever it comes; until then nobody waits for it.
    if (current === present) current = { ...present, refreshAt: runtime.monotonic() + RETRY_MS }
    return present.token
  }
  const isGood = (): boolean => current !== undefined && runtime.monotonic() < current.expiresAt
  const sitOut = async (scope: CallScope): Promise<void> => {
    const pauseMs = failures === 0 || isGood() ? 0 : nextAt - runtime.monotonic()
    // A call that cannot wait for that long asks at once.
    if (pauseMs > 0 && pauseMs < scope.remainingMs()) await scope.pause(pauseMs)
  }
  const source: TokenSource = {
    current: () => (current !== undefined && runtime.monotonic() < current.refreshAt ? current.token : undefined),
    token: async () => {
      if (!config.credentials) throw notConfigured(config.missing)
      const present = current
      if (!present || runtime.monotonic() >= present.expiresAt) return ask()
      return source.current() ?? renewed(present)
    },
    tokenFor: async (scope) => {
      for (let triesLeft = MAX_TRIES; ; triesLeft--) {
        await sitOut(scope)
        try {
          return await scope.wait(source.token(), 'Getting an access token')
        } catch (error) {
          const leftMs = scope.remainingMs() - Math.max(0, nextAt - runtime.monotonic())
          if (
            !source.mayPass(error) ||
            lastFault?.fault.kind === 'set_up' ||
            triesLeft <= 1 ||
            leftMs < scope.deadlineMs * SHARE_FOR_CALL
          )
            throw error
        }
      }
    },
    mayPass: (error) => {
      if (lastFault === undefined || lastFault.error !== error) return false
      const { kind } = lastFault.fault
      if (kind === 'set_up') return hasBeenGranted
      return kind === 'away' || (kind === 'page' && (hasBeenGranted || pages < MAX_PAGES))
    },
    close: () => {
      isClosed = true
      requests.close()
    },
    drop: (token) => {
      if (current?.token === token) current = undefined
    },
    doubt: (token) => {
      if (current?.token === token) current = { ...current, refreshAt: 0 }
    },
  }
  return source
}

function toCurrent({ token, lifetimeMs, askedAt }: GrantedToken): CurrentToken {
  const expiresAt = askedAt + lifetimeMs
  return { token, refreshAt: expiresAt - Math.min(SKEW_MS, lifetimeMs / 2), expiresAt }
}

function closed(): PpoppoError {
  return new PpoppoError('closed', 'The Messaging client was closed while it was fetching a token.')
}

/** The error of every call of a client that has no credentials. */
export function notConfigured(missing: readonly string[]): PpoppoError {
  const names = missing.join(' and ')
  return new PpoppoError(
    'messaging_not_configured',
    `The Messaging API is not configured: set ${names}, as Ppoppo gave it for your External API client (not the login client).`,
  )
}
