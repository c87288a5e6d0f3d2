import type { RaiseEvent } from '../audit-events.js'
import { isTraced, traced } from '../channels.js'
import { isPpoppoError, PpoppoError } from '../errors.js'
import { type Runtime, randomToken } from '../lib/runtime.js'
import { SingleFlight } from '../lib/single-flight.js'
import { wait } from '../lib/wait.js'
import { SignInMismatch } from '../provider/faults.js'
import { type Grant, missingScopes, type Provider } from '../provider/provider.js'
import type { Store, VersionedRecord } from '../store/store.js'
import type { SignIn } from '../vault/record.js'
import type { Vault } from '../vault/vault.js'

/** Renews the tokens of a sign-in; concurrent callers share one call to PAS. */
export interface Refresher {
  /**
   * @param stale the sign-in whose access token must be renewed.
   * @returns the sign-in with newer tokens, whoever fetched them; `undefined` when it has ended.
   * @throws `provider_unavailable`, `provider_misconfigured`, `store_unavailable`: the sign-in stays.
   */
  refresh(stale: SignIn): Promise<SignIn | undefined>
}

/** What a refresher needs. */
export interface RefresherParts {
  readonly vault: Vault
  readonly store: Pick<Store, 'acquireLease' | 'releaseLease'>
  readonly provider: Pick<Provider, 'find' | 'refresh' | 'revoke'>
  readonly runtime: Runtime
  readonly raise: RaiseEvent
}

/** Longer than a call to PAS may take. If the holder is killed, the others wait no longer than this. */
const LEASE_MS = 8_000
const GIVE_UP_MS = 2 * LEASE_MS
/** A waiting process looks soon, since PAS mostly answers within some 20 ms, then less often. */
const FIRST_POLL_MS = 10
const POLL_MS = 50
/** For storing tokens that PAS has already issued. */
const SAVE_TRIES = 4
const SAVE_PAUSE_MS = 300

export function createRefresher({ vault, store, provider, runtime, raise }: RefresherParts): Refresher {
  const flights = new SingleFlight<SignIn | undefined>()

  /** Only one of all processes calls PAS: the holder of the lease. The others poll for its result. */
  async function refreshAmongProcesses(stale: SignIn): Promise<SignIn | undefined> {
    // Discovery comes first, because it has its own time limit and the lease only covers the token call.
    await provider.find()
    const holder = randomToken(runtime, 128)
    const deadline = runtime.monotonic() + GIVE_UP_MS
    let pauseMs = FIRST_POLL_MS
    while (runtime.monotonic() < deadline) {
      const { isHolder, record } = await store.acquireLease(stale.id, holder, LEASE_MS)
      try {
        const current = await vault.open(stale.id, record)
        if (!current || current.tokens.accessToken !== stale.tokens.accessToken) return current
        // PAS may answer a refresh with the access token it had issued before.
        if (current.refreshedAt !== stale.refreshedAt) return current
        if (isHolder) return await fetchTokens(current, record)
      } finally {
        // Nobody waits for it, and a lease that cannot be released expires by itself.
        if (isHolder) void store.releaseLease(stale.id, holder).catch(() => {})
      }
      // Not all at the same moment.
      await wait(pauseMs * (1 + runtime.randomBytes(1).readUInt8() / 255))
      pauseMs = Math.min(POLL_MS, 2 * pauseMs)
    }
    throw new PpoppoError(
      'provider_unavailable',
      'The access token is being renewed elsewhere, and that takes too long; try again.',
      {
        retryAfterMs: 1_000,
      },
    )
  }

  async function fetchTokens(current: SignIn, seen: VersionedRecord | undefined): Promise<SignIn | undefined> {
    const { refreshToken } = current.tokens
    if (refreshToken === undefined) {
      // Without a refresh token PAS cannot be asked again, so the sign-in ends when its access token expires.
      return runtime.now() < current.tokens.expiresAt ? current : end(current, refreshToken, 'not_renewable')
    }
    const grant = await askPas(current, refreshToken)
    if (grant === 'mismatch') return end(current, refreshToken, 'id_token_mismatch')
    if (grant === 'revoked') return end(current, refreshToken, 'revoked')
    if (missingScopes(current.scopes, grant.scopes).length > 0) return end(current, refreshToken, 'scope_reduced')
    return saveTokens(current, grant, seen)
  }

  async function askPas(current: SignIn, refreshToken: string): Promise<Grant | 'revoked' | 'mismatch'> {
    try {
      return await provider.refresh(refreshToken, current)
    } catch (error) {
      if (!(error instanceof SignInMismatch)) throw error
      reportFailure(current, error)
      return 'mismatch'
    }
  }

  function reportFailure({ sub, id }: SignIn, error: unknown): void {
    const known = error instanceof PpoppoError ? error : undefined
    raise({
      type: 'refresh_failed',
      sub,
      signInId: id,
      code: known?.code ?? 'unknown',
      detail: known?.message ?? 'unexpected error',
    })
  }

  async function saveTokens(
    current: SignIn,
    grant: Grant,
    seen: VersionedRecord | undefined,
  ): Promise<SignIn | undefined> {
    let isOurs = false
    const change = (latest: SignIn): SignIn | undefined => {
      // If our lease expired, another process may have stored newer tokens: keep those.
      isOurs = latest.tokens.accessToken === current.tokens.accessToken
      if (!isOurs) return undefined
      const now = runtime.now()
      const refreshToken = grant.refreshToken ?? latest.tokens.refreshToken
      return {
        ...latest,
        lastSeenAt: now,
        touchedAt: now,
        refreshedAt: now,
        tokens: {
          accessToken: grant.accessToken,
          expiresAt: grant.askedAt + grant.expiresInMs,
          ...(refreshToken === undefined ? {} : { refreshToken }),
        },
      }
    }
    const kept = await saveWithRetry(grant, current.id, change, seen)
    if (kept) {
      if (isOurs) raise({ type: 'token_refreshed', sub: kept.sub, signInId: kept.id })
    } else if (grant.refreshToken !== undefined) {
      // Signed out while PAS answered: the new tokens must not stay valid.
      provider
        .revoke(grant.refreshToken)
        .catch(() => raise({ type: 'revocation_failed', detail: 'after a late refresh' }))
    }
    return kept
  }

  /** Retries when the store fails, because losing a rotated refresh token means losing the sign-in. */
  async function saveWithRetry(grant: Grant, ...update: Parameters<Vault['update']>): Promise<SignIn | undefined> {
    for (let triesLeft = grant.refreshToken === undefined ? 1 : SAVE_TRIES; ; triesLeft -= 1) {
      try {
        return await vault.update(...update)
      } catch (error) {
        if (triesLeft <= 1 || !isPpoppoError(error, 'store_unavailable')) throw error
        await wait(SAVE_PAUSE_MS)
      }
    }
  }

  /** Ends the sign-in, unless a refresh token other than the refused one has been stored meanwhile. */
  async function end(
    current: SignIn,
    refreshToken: string | undefined,
    reason: 'revoked' | 'scope_reduced' | 'id_token_mismatch' | 'not_renewable',
  ): Promise<SignIn | undefined> {
    const ended = await vault.remove(current.id, (latest) => latest.tokens.refreshToken === refreshToken)
    if (!ended) return vault.read(current.id)
    raise({ type: 'sign_out', sub: ended.sub, signInId: ended.id, reason })
    return undefined
  }

  return {
    refresh: (stale) =>
      // Keyed by token too, which is known by its times: opening it costs more than the rest, and hundreds may wait. A
      // caller whose newer token was refused must not get that same token back.
      flights.run(`${stale.id} ${stale.refreshedAt} ${stale.tokens.expiresAt}`, async () => {
        try {
          if (!isTraced('refresh')) return await refreshAmongProcesses(stale)
          const outcomeOf = (signIn: SignIn | undefined): string => (signIn ? 'refreshed' : 'ended')
          return await traced({ name: 'refresh', outcomeOf }, () => refreshAmongProcesses(stale))
        } catch (error) {
          reportFailure(stale, error)
          throw error
        }
      }),
  }
}
