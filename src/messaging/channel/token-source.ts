import type { MessagingConfig } from '../../config/messaging-options.js'
import { PpoppoError } from '../../errors.js'
import { TIMED_OUT, within } from '../../lib/wait.js'
import { doubled } from '../lib/backoff.js'
import type { MessagingRuntime } from '../lib/runtime.js'
import type { CallScope } from '../lib/scope.js'
import { fetchToken, type GrantedToken, TokenFault } from './token-request.js'
import { TokenRequests } from './token-requests.js'

/** A token is replaced this long before it expires, or at half of its life where that is later. */
const SKEW_MS = 60_000
/** How long a call waits for the next token while the present one is good. */
const PATIENCE_MS = 1_000
/** How soon PAS is asked again after it gave no token while the present one is good. */
const RETRY_MS = 5_000
/** Before the next try where there is no token: all calls of a client wait together. */
const FIRST_PAUSE_MS = 200
const LONGEST_PAUSE_MS = 2_000
/** What is no token endpoint so many times in a row, and never was one, will not become one. */
const MAX_PAGES = 5
/** Tries of one call; with their pauses some ten seconds. */
const MAX_TRIES = 10
/** A token that comes when less is left of a call's time is of no use to it. */
const SHARE_FOR_CALL = 0.25

/** Where access tokens of the Messaging API come from. Shows none of them when printed. */
export interface TokenSource {
  /**
   * A token that is good now; fetched once for all who ask at the same time.
   * @throws `messaging_not_configured`, `credentials_rejected`, `messaging_misconfigured`, `messaging_unavailable`,
   * `messaging_response_invalid`, `closed`
   */
  token(): Promise<string>
  /** The same for a call, which may wait: tried again for as long as the scope lives. @throws also what ends the scope */
  tokenFor(scope: CallScope): Promise<string>
  /**
   * Whether what `token()` just rejected with may go by itself: somebody on the way answers, or nobody. Also where it
   * was set up well once: that is for who waits as long as it takes, and not for a call.
   */
  mayPass(error: unknown): boolean
  /** Ends a request that is under way. */
  close(): void
  /** Forgets this token, since PCS refused it; another one that has come meanwhile stays. */
  drop(token: string): void
  /** Has this token replaced, since somebody on the way refused it; it stays for as long as there is no other. */
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
  /** Failures in a row, and those of them that were pages; when to ask again. */
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
  /** Counts a failure once, however many wait for it. */
  const noted = (fault: TokenFault): PpoppoError => {
    if (lastFault?.fault === fault) return lastFault.error
    failures++
    pages = fault.kind === 'page' ? pages + 1 : 0
    const longestMs = doubled(FIRST_PAUSE_MS, failures - 1, LONGEST_PAUSE_MS)
    nextAt = runtime.monotonic() + Math.max((longestMs * (1 + runtime.random())) / 2, fault.retryAfterMs ?? 0)
    lastFault = { fault, error: fault.toError(hasBeenGranted) }
    return lastFault.error
  }
  /** The present token, or its successor where that is due and comes soon. Nothing that PAS says makes it less good. */
  const renewed = async (present: CurrentToken): Promise<string> => {
    try {
      const next = await within(ask(), PATIENCE_MS)
      if (next !== TIMED_OUT) return next
    } catch (error) {
      if (isClosed || runtime.monotonic() >= present.expiresAt) throw error
    }
    // Its successor takes its place whenever it comes; nobody waits for it meanwhile.
    if (current === present) current = { ...present, refreshAt: runtime.monotonic() + RETRY_MS }
    return present.token
  }
  const isGood = (): boolean => current !== undefined && runtime.monotonic() < current.expiresAt
  const sitOut = async (scope: CallScope): Promise<void> => {
    const pauseMs = failures === 0 || isGood() ? 0 : nextAt - runtime.monotonic()
    // One that cannot wait for so long asks at once.
    if (pauseMs > 0 && pauseMs < scope.remainingMs()) await scope.pause(pauseMs)
  }
  const source: TokenSource = {
    token: async () => {
      if (!config.credentials) throw notConfigured(config.missing)
      const present = current
      if (!present || runtime.monotonic() >= present.expiresAt) return ask()
      return runtime.monotonic() < present.refreshAt ? present.token : renewed(present)
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
  return new PpoppoError('closed', 'The Messaging client was closed while it asked for a token.')
}

/** The error of every call of a client that has no credentials. */
export function notConfigured(missing: readonly string[]): PpoppoError {
  const names = missing.join(' and ')
  return new PpoppoError(
    'messaging_not_configured',
    `The Messaging API is not configured: set ${names}, as Ppoppo gave it for your External API client (not the login client).`,
  )
}
