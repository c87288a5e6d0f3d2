import { randomBytes } from 'node:crypto'

const SECRET_BYTES = 48
const VAULT_KEY_BYTES = 32

/** A new session secret, and a new vault key with its id. */
export interface NewSecrets {
  /** Value for `PPOPPO_SESSION_SECRET`. */
  readonly sessionSecret: string
  /** Value for `PPOPPO_VAULT_KEYS`: `k20261120:base64`. */
  readonly vaultKey: string
}

/** Creates them from the system's random source. @param keyId id of the vault key, see {@link dateId} */
export function createNewSecrets(keyId: string): NewSecrets {
  return {
    sessionSecret: randomBytes(SECRET_BYTES).toString('base64url'),
    vaultKey: `${keyId}:${randomBytes(VAULT_KEY_BYTES).toString('base64')}`,
  }
}

/** `k20261120` (UTC): shows when a key was created, and sorts by it. */
export function dateId(now: Date): string {
  return `k${now.toISOString().slice(0, 10).replaceAll('-', '')}`
}
