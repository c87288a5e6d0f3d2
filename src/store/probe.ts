import { isPpoppoError } from '../errors.js'
import type { Store } from './store.js'

/** Longer than the probe takes. What it leaves behind expires after this time. */
const TRACE_TTL_MS = 10_000

/**
 * Makes each kind of call once, under a key of its own that expires, so that a missing right shows at start-up and not at
 * the first sign-in.
 *
 * @param name random, of letters and digits, used for nothing else
 * @throws what the store throws; `store_unavailable` for Redis
 */
export async function probeStore(store: Store, name: string): Promise<void> {
  // On its own first: without a connection every call would fail in the same way.
  const now = await store.now()
  await Promise.all([
    probeAttempt(store, name),
    probeSignIn(store, name, now),
    probeLease(store, name),
    probeSession(store, name),
    probeLimiter(store, name),
  ])
}

async function probeAttempt(store: Store, name: string): Promise<void> {
  const attempt = { key: name, value: 'x' }
  await store
    .putTransaction(() => attempt, TRACE_TTL_MS)
    .catch((error: unknown) => {
      // Full under a flood of logins is no reason not to start: a new instance can serve everybody who is signed in.
      if (!isPpoppoError(error, 'store_full')) throw error
    })
  await store.takeTransaction(name, TRACE_TTL_MS)
  await store.setTransactionOutcome(name, 'x', TRACE_TTL_MS)
  await store.readTransactionOutcome(name)
}

async function probeSignIn(store: Store, name: string, now: number): Promise<void> {
  const id = `${name}.x`
  await store.createSignIn(id, 'x', now + TRACE_TTL_MS, now)
  await store.writeSignIn(id, 1, 'x', now + TRACE_TTL_MS)
  await store.readSignIn(id)
  await store.listSignIns(name)
  await store.deleteSignIn(id)
  await store.deleteAllSignIns(name, TRACE_TTL_MS)
}

async function probeLease(store: Store, name: string): Promise<void> {
  const id = `${name}.x`
  await store.acquireLease(id, name, TRACE_TTL_MS)
  await store.releaseLease(id, name)
}

async function probeSession(store: Store, name: string): Promise<void> {
  await store.sessions.set(name, '{}', TRACE_TTL_MS / 1000)
  await store.sessions.get(name)
}

async function probeLimiter(store: Store, name: string): Promise<void> {
  const limiter = store.createLimiter('ready', 1)
  await limiter.consume(name)
  await limiter.consume(name) // beyond its limit it asks for more
  await limiter.giveBack(name)
}
