import type { VaultKey } from '../config/options.js'
import { randomToken, systemRuntime } from '../lib/runtime.js'
import type { CampaignLedger } from '../store/campaign-ledger.js'
import { createKeyRing, type KeyRing } from '../vault/keyring.js'

/** What {@link createKeySource} needs. */
export interface KeySourceParts {
  /** `undefined` only in development. */
  readonly vaultKeys: readonly VaultKey[] | undefined
  readonly ledger: Pick<CampaignLedger, 'shareKey'>
  readonly warn: (text: string) => void
}

/** Domain of the keys that are derived from the vault keys. */
const KEY_DOMAIN = 'campaigns'

/**
 * The keys that seal recipients. In development, a missing key is generated once and shared through Redis, as `ppoppo()`
 * does; in production, a configuration without keys is rejected.
 */
export function createKeySource({ vaultKeys, ledger, warn }: KeySourceParts): () => Promise<KeyRing> {
  let ring =
    vaultKeys === undefined
      ? undefined
      : createKeyRing({ keys: vaultKeys, clientId: KEY_DOMAIN, runtime: systemRuntime })
  return async () => {
    if (ring !== undefined) return ring
    const shared = await ledger.shareKey(randomToken(systemRuntime, 256))
    if (ring !== undefined) return ring
    warn(
      'PPOPPO_VAULT_KEYS is not set: a key was made and is kept in Redis in the clear, for development only. Run "npx express-ppoppo keygen".',
    )
    ring = createKeyRing({
      keys: [{ id: 'dev', secret: Buffer.from(shared, 'base64url') }],
      clientId: KEY_DOMAIN,
      runtime: systemRuntime,
    })
    return ring
  }
}
