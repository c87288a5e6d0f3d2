import type { Request, Response } from 'express'
import type { Config } from '../config/options.js'
import { digestOf } from '../lib/digest.js'
import { parseJsonObject } from '../lib/guards.js'
import type { Runtime } from '../lib/runtime.js'
import { wait } from '../lib/wait.js'
import { type Count, PENDING_OUTCOME, type Store } from '../store/store.js'
import type { KeyRing } from '../vault/keyring.js'
import { createAttemptCookies } from './attempt-cookie.js'

/** One login attempt. */
export interface Transaction {
  readonly state: string
  readonly nonce: string
  /** PKCE code verifier: 43 characters, 256 random bits (RFC 7636 4.1). */
  readonly codeVerifier: string
  /** Absolute URL, already judged. */
  readonly returnTo: string
  /** By the store's clock, milliseconds. */
  readonly begunAt: number
  /** If `max_age` was sent: PAS must have seen the person at or after this time, milliseconds. */
  readonly seenSince?: number
}

/** A login attempt about to begin. */
export interface NewAttempt {
  /** Absolute URL, already judged. */
  readonly returnTo: string
  /** The `max_age` to send, if any, in seconds. */
  readonly maxAgeSeconds?: number | undefined
  /** Counts it; above the limit it does not begin. */
  readonly limit?: Count | undefined
}

/** An attempt that has begun, or how long to wait, in milliseconds. */
export type Begun =
  | { readonly transaction: Transaction; readonly waitMs: 0 }
  | { readonly transaction?: undefined; readonly waitMs: number }

/** The result of an attempt that another callback took: a sign-in to join, or a failure. Holds no token. */
export type Outcome = Success | 'failed'

/** `arrival`: the callback that brought it, see `sign-in/callback-params.ts`. */
export interface Success {
  readonly signInId: string
  readonly returnTo: string
  readonly arrival?: string
}

/** What a callback finds under its `state`. */
export type Consumed =
  | {
      readonly kind: 'taken'
      readonly transaction: Transaction
      /** Milliseconds to wait if the limit is exceeded, else 0. */
      readonly waitMs: number
      readonly finish: (outcome: Outcome) => Promise<void>
    }
  | { readonly kind: 'taken_before'; readonly outcome: () => Promise<Outcome | undefined> }
  | { readonly kind: 'expired' }
  /** This browser began it recently, but the store does not have it; `detail` says why. */
  | { readonly kind: 'lost'; readonly detail: string }
  /** This browser did not begin it, or its cookie has expired. */
  | { readonly kind: 'unknown' }

/** The login attempts: one per `state`, each taken once and only by the browser that began it. */
export interface Transactions {
  /** Stores an attempt and sets its cookie. @throws `store_unavailable`, `store_full` */
  begin(req: Request, res: Response, attempt: NewAttempt): Promise<Begun>
  /**
   * Takes the attempt and clears its cookie; a store that is down throws before the cookie is touched.
   * @param limit counts the attempt that is taken
   */
  consume(req: Request, res: Response, state: string, limit?: Count): Promise<Consumed>
}

/** An attempt older than this is refused. */
export const ATTEMPT_TTL_MS: number = 10 * 60_000
/** How long a double callback can join the first one's sign-in. */
const OUTCOME_TTL_MS = 60_000
const OUTCOME_WAIT_MS = 25_000
const OUTCOME_POLL_MS = 100
const WHY_LOST = {
  memory: "is not in this process's memory: the process was restarted since, or another one began it",
  redis:
    'is not in Redis: it was flushed, failed over or evicts, a flood made attempts short, or login and callback use two different ones',
} as const
const OTHER_KEYS = 'does not open with the vault keys of this process: those of the login were others'
/** 256 random bits are 43 characters of base64url. */
const TOKEN_BYTES = 32
const FORM_OF_STATE = /^[A-Za-z0-9_-]{43}$/

/** What the login attempts are made of. */
export interface TransactionsParts {
  /** The client, and whether its cookies are `Secure`. */
  readonly config: Pick<Config, 'clientId' | 'isHttps'>
  /** Holds the attempts, encrypted. */
  readonly store: Store
  /** The keys that encrypt them. */
  readonly keyRing: () => Promise<KeyRing>
  /** Clock and random source. */
  readonly runtime: Runtime
}

/** Creates the login attempts of one client. */
export function createTransactions(parts: TransactionsParts): Transactions {
  const { config, store, keyRing, runtime } = parts
  const cookies = createAttemptCookies({ ...config, runtime })

  /** The record's name is derived from both the state and the cookie, so only the right browser can take it. */
  const keyFor = (state: string, cookie: string): string => digestOf('transaction', config.clientId, state, cookie)
  /** Each vault key has 64 keys for attempts, so that none is derived at a login; each is good for 2^32 of them (SP 800-38D 8.3). */
  const contextFor = (key: string) => ({ purpose: 'transaction', salt: key.slice(0, 1), binding: [key] })
  /** Neither text opens as the other. */
  const outcomeContextFor = (key: string) => ({ ...contextFor(key), binding: [key, 'outcome'] })

  async function waitForOutcome(key: string, first: string): Promise<Outcome | undefined> {
    const deadline = runtime.monotonic() + OUTCOME_WAIT_MS
    let outcome: string | undefined = first
    while (outcome === PENDING_OUTCOME && runtime.monotonic() < deadline) {
      await wait(OUTCOME_POLL_MS)
      outcome = await store.readTransactionOutcome(key)
    }
    return parseOutcome((await keyRing()).open(outcomeContextFor(key), outcome ?? '') ?? '')
  }

  /** Why an attempt cannot be taken: its cookie is too old, or the store lost it. */
  async function gone(cookie: string, why: string): Promise<Consumed> {
    const ageMs = (await store.now()) - cookies.begunAt(cookie)
    if (ageMs >= ATTEMPT_TTL_MS) return { kind: 'expired' }
    return { kind: 'lost', detail: `the attempt, begun ${Math.max(0, Math.round(ageMs / 1000))} s ago, ${why}` }
  }

  return {
    async begin(req, res, { returnTo, maxAgeSeconds, limit }) {
      const ring = await keyRing()
      const make = (begunAt: number) => {
        // One read, since reading costs more than what is read.
        const random = runtime.randomBytes(3 * TOKEN_BYTES)
        const token = (index: number) => random.toString('base64url', index * TOKEN_BYTES, (index + 1) * TOKEN_BYTES)
        const transaction: Transaction = {
          state: token(0),
          nonce: token(1),
          codeVerifier: token(2),
          returnTo,
          begunAt,
          ...(maxAgeSeconds === undefined ? {} : { seenSince: begunAt - maxAgeSeconds * 1000 }),
        }
        const cookie = cookies.newValue(begunAt)
        const key = keyFor(transaction.state, cookie)
        const text = JSON.stringify({ ...transaction, returnTo: shortened(returnTo) })
        return { key, value: ring.seal(contextFor(key), text), transaction, cookie }
      }
      const { attempt, waitMs } = await store.putTransaction(make, ATTEMPT_TTL_MS, limit)
      if (!attempt) return { waitMs }
      const { transaction, cookie } = attempt
      cookies.set(req, res, transaction.state, cookie)
      return { transaction, waitMs: 0 }
    },

    async consume(req, res, state, limit) {
      const cookie = FORM_OF_STATE.test(state) ? cookies.read(req, state) : undefined
      if (cookie === undefined) return { kind: 'unknown' }
      const key = keyFor(state, cookie)
      const ring = await keyRing()
      const taken = await store.takeTransaction(key, OUTCOME_TTL_MS, limit)
      cookies.clear(req, res, state)
      if (!taken) return gone(cookie, WHY_LOST[store.kind])
      if (taken.outcome !== undefined) {
        const { outcome } = taken
        return { kind: 'taken_before', outcome: () => waitForOutcome(key, outcome) }
      }
      const transaction = parseTransaction(ring.open(contextFor(key), taken.value))
      const finish = (outcome: Outcome): Promise<void> =>
        store.setTransactionOutcome(key, ring.seal(outcomeContextFor(key), JSON.stringify(outcome)), OUTCOME_TTL_MS)
      const { takenAt, waitMs } = taken
      const isLive = transaction?.state === state && takenAt - transaction.begunAt < ATTEMPT_TTL_MS
      if (isLive) return { kind: 'taken', transaction, waitMs, finish }
      await finish('failed')
      return transaction ? { kind: 'expired' } : gone(cookie, OTHER_KEYS)
    },
  }
}

/** Unescapes letters if a URL parser restores exactly the same URL: that takes a third of the memory in Redis. */
function shortened(url: string): string {
  try {
    const short = decodeURI(url)
    return new URL(short).href === url ? short : url
  } catch {
    return url
  }
}

function parseTransaction(text: string | undefined): Transaction | undefined {
  const parsed = parseJsonObject(text ?? '')
  if (!parsed) return undefined
  const { state, nonce, codeVerifier, returnTo, begunAt, seenSince } = parsed
  if (![state, nonce, codeVerifier, returnTo].every((field) => typeof field === 'string')) return undefined
  if (typeof begunAt !== 'number') return undefined
  return {
    state: String(state),
    nonce: String(nonce),
    codeVerifier: String(codeVerifier),
    returnTo: URL.canParse(String(returnTo)) ? new URL(String(returnTo)).href : String(returnTo),
    begunAt,
    ...(typeof seenSince === 'number' ? { seenSince } : {}),
  }
}

function parseOutcome(text: string): Outcome | undefined {
  if (text === JSON.stringify('failed')) return 'failed'
  const parsed = parseJsonObject(text)
  const { signInId, returnTo, arrival } = parsed ?? {}
  if (typeof signInId !== 'string' || typeof returnTo !== 'string') return undefined
  return { signInId, returnTo, ...(typeof arrival === 'string' ? { arrival } : {}) }
}
