import type { RaiseEvent } from '../audit-events.js'
import { PpoppoError } from '../errors.js'
import { TIMED_OUT, within } from '../lib/wait.js'
import type { Provider } from '../provider/provider.js'
import type { EndedSignIn } from '../vault/vault.js'

/** What a sign-out does at PAS. Both steps run only after the sign-in has ended here, and both are limited in time. */
export interface SignOutAtPas {
  /** Revokes the refresh tokens of sign-ins that have ended. Never throws: `onEvent` receives `revocation_failed`. */
  revoke(ended: readonly EndedSignIn[]): Promise<void>
  /** The URL that ends the browser's session at PAS; `undefined` if PAS announces none, fails or is slow. */
  endSessionUrl(): Promise<string | undefined>
}

/** What {@link SignOutAtPas} needs. */
export interface SignOutAtPasParts {
  readonly provider: Pick<Provider, 'revoke' | 'endSessionUrl'>
  readonly raise: RaiseEvent
}

const REVOCATION_MS = 3_000
const END_SESSION_MS = 2_000

/** Creates the part that signs people out at PAS. */
export function createSignOutAtPas({ provider, raise }: SignOutAtPasParts): SignOutAtPas {
  return {
    async revoke(ended) {
      const tokens = ended.map(({ tokens }) => tokens?.refreshToken).filter((token) => token !== undefined)
      const revoked = Promise.all(tokens.map((token) => provider.revoke(token)))
      try {
        if ((await within(revoked, REVOCATION_MS)) === TIMED_OUT)
          raise({ type: 'revocation_failed', detail: `no answer within ${REVOCATION_MS} ms` })
      } catch (error) {
        raise({ type: 'revocation_failed', detail: error instanceof PpoppoError ? error.message : 'unexpected error' })
      }
    },

    async endSessionUrl() {
      const url = await within(provider.endSessionUrl(), END_SESSION_MS).catch(() => undefined)
      return url === TIMED_OUT ? undefined : url?.href
    },
  }
}
