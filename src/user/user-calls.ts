import { PpoppoError } from '../errors.js'
import type { Runtime } from '../lib/runtime.js'
import type { UserInfo } from '../provider/profile.js'
import type { Provider } from '../provider/provider.js'
import { hasExpired, isRefreshDue } from '../vault/lifetimes.js'
import type { SignIn } from '../vault/record.js'
import type { Vault } from '../vault/vault.js'
import type { Freshness } from './freshness.js'
import type { Refresher } from './refresh.js'

/** Receives the sign-in as it is after a call: with newer tokens, or another ppnum. */
export type AdoptNewer = (signIn: SignIn) => void

/** Calls to PAS on behalf of the person who is signed in. */
export interface UserCalls {
  /**
   * A valid access token. One that is about to expire is renewed in the background; the caller waits only if it has
   * already expired.
   * @throws `signed_out` when PAS has revoked the sign-in.
   */
  accessToken(signIn: SignIn, adopt: AdoptNewer): Promise<string>
  /** @throws `signed_out`, `provider_unavailable`, `subject_mismatch`. */
  userinfo(signIn: SignIn, adopt: AdoptNewer): Promise<UserInfo>
}

/** What calls to PAS need. */
export interface UserCallsParts {
  readonly provider: Pick<Provider, 'userinfo'>
  readonly vault: Vault
  readonly refresher: Refresher
  readonly freshness: Freshness
  readonly runtime: Runtime
}

export function createUserCalls(parts: UserCallsParts): UserCalls {
  const { provider, vault, refresher, freshness, runtime } = parts

  async function current(signIn: SignIn, adopt: AdoptNewer): Promise<SignIn> {
    if (hasExpired(signIn, runtime.now())) {
      const fresh = await renewed(signIn, adopt)
      // A request that runs for hours still has its first token: the one that replaced it may have expired by now too.
      return hasExpired(fresh, runtime.now()) ? renewed(fresh, adopt) : fresh
    }
    if (isRefreshDue(signIn, runtime.now())) freshness.refreshInBackground(signIn)
    return signIn
  }

  async function renewed(signIn: SignIn, adopt: AdoptNewer): Promise<SignIn> {
    const fresh = await refresher.refresh(signIn)
    if (!fresh)
      throw new PpoppoError(
        'signed_out',
        'This sign-in has ended: PAS revoked it, or it was signed out. Sign in again.',
      )
    adopt(fresh)
    return fresh
  }

  return {
    accessToken: async (signIn, adopt) => (await current(signIn, adopt)).tokens.accessToken,

    async userinfo(signIn, adopt) {
      let used = await current(signIn, adopt)
      let info = await provider.userinfo(used.tokens.accessToken, used.sub)
      if (info === 'rejected') {
        used = await renewed(used, adopt)
        info = await provider.userinfo(used.tokens.accessToken, used.sub)
      }
      if (info === 'rejected') {
        throw new PpoppoError(
          'provider_unavailable',
          'PAS rejected the access token even after a refresh; try again later.',
        )
      }
      if (info.ppnum !== used.ppnum || info.accountType !== used.accountType) await rename(used, info, adopt)
      return info
    },
  }

  /** Keeps `req.ppoppo.user` up to date. A failed write is ignored, because the next call writes again. */
  async function rename(signIn: SignIn, { ppnum, accountType }: UserInfo, adopt: AdoptNewer): Promise<void> {
    const write = vault.update(signIn.id, ({ accountType: _before, ...latest }) => ({
      ...latest,
      ppnum,
      ...(accountType === undefined ? {} : { accountType }),
    }))
    const renamed = await write.catch(() => undefined)
    if (renamed) adopt(renamed)
  }
}
