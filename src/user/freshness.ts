import type { Config } from '../config/options.js'
import { RecentSet } from '../lib/recent-set.js'
import type { Runtime } from '../lib/runtime.js'
import { TIMED_OUT, within } from '../lib/wait.js'
import { isRefreshDue, isTouchDue } from '../vault/lifetimes.js'
import type { SignIn } from '../vault/record.js'
import type { Vault } from '../vault/vault.js'
import type { Refresher } from './refresh.js'

const DAY_MS = 24 * 60 * 60_000
const FOREGROUND_MS = 1_000
/** How long this process waits before it retries a failed background refresh. */
const RETRY_MS = 10_000

/** Keeps a sign-in that is in use alive and confirmed by PAS. */
export interface Freshness {
  /**
   * Called on every request of a sign-in. Extends its idle expiry when a quarter of the idle time has passed, and has
   * PAS confirm it once per access-token life, in the background. If PAS has not confirmed it for a day, the request
   * waits for that, for a second at most. No sign-in ends because PAS or the store is down.
   * @returns the sign-in as it is now; `undefined` when PAS has revoked it.
   */
  keep(signIn: SignIn): Promise<SignIn | undefined>
  /** Whether {@link keep} would do nothing, as on most requests. */
  isKept(signIn: SignIn): boolean
  /** Starts a refresh that nobody waits for. */
  refreshInBackground(signIn: SignIn): void
}

/** What freshness needs. */
export interface FreshnessParts {
  readonly config: Pick<Config, 'idleMs'>
  readonly vault: Vault
  readonly refresher: Refresher
  readonly runtime: Runtime
}

export function createFreshness(parts: FreshnessParts): Freshness {
  const { config, vault, refresher, runtime } = parts
  const failedLately = new RecentSet({ ttlMs: RETRY_MS, capacity: 10_000, now: runtime.monotonic })

  /** The refresher has already reported a failure; this only avoids an immediate retry. */
  async function tryRefresh(signIn: SignIn): Promise<SignIn | undefined> {
    try {
      return await refresher.refresh(signIn)
    } catch {
      failedLately.add(signIn.id)
      return signIn
    }
  }

  async function touch(signIn: SignIn): Promise<SignIn | undefined> {
    const isDue = (one: SignIn): boolean => isTouchDue(one, runtime.now(), config.idleMs)
    if (!isDue(signIn)) return signIn
    try {
      const now = runtime.now()
      return await vault.update(signIn.id, (latest) =>
        isDue(latest) ? { ...latest, touchedAt: now, lastSeenAt: now } : undefined,
      )
    } catch {
      return signIn
    }
  }

  function refreshInBackground(signIn: SignIn): void {
    if (!failedLately.has(signIn.id)) void tryRefresh(signIn)
  }

  return {
    refreshInBackground,
    isKept(signIn) {
      const now = runtime.now()
      const isConfirmed = now - signIn.refreshedAt <= DAY_MS && !isRefreshDue(signIn, now)
      return isConfirmed && !isTouchDue(signIn, now, config.idleMs)
    },
    async keep(signIn) {
      const touched = await touch(signIn)
      if (!touched) return undefined
      const isOverdue = runtime.now() - touched.refreshedAt > DAY_MS
      if (!isOverdue && !isRefreshDue(touched, runtime.now())) return touched
      if (!isOverdue || failedLately.has(touched.id)) {
        refreshInBackground(touched)
        return touched
      }
      const answer = await within(tryRefresh(touched), FOREGROUND_MS)
      if (answer !== TIMED_OUT) return answer
      // The refresh continues, and the next requests do not wait for it again.
      failedLately.add(touched.id)
      return touched
    },
  }
}
