import type { RaiseEvent } from '../audit-events.js'
import type { Config } from '../config/options.js'
import { type Runtime, randomToken } from '../lib/runtime.js'
import { SingleFlight } from '../lib/single-flight.js'
import type { Store } from '../store/store.js'
import { createKeyRing, type KeyRing } from './keyring.js'

/** The secrets of this instance. Configured ones are available at once; generated ones come from the store. */
export interface Secrets {
  keyRing(): Promise<KeyRing>
  /** The first one signs, any of them verifies. */
  sessionSecrets(): Promise<readonly string[]>
}

/** What the secrets need. */
export interface SecretsParts {
  readonly config: Pick<Config, 'clientId' | 'vaultKeys' | 'sessionSecrets'>
  readonly store: Store
  readonly runtime: Runtime
  readonly raise: RaiseEvent
}

/**
 * In development a secret that is not configured is generated once and shared through the store, so that all processes
 * on one Redis use the same. Anyone who can read that Redis can read the secret, hence the warning; in production the
 * configuration is rejected without them.
 */
export function createSecrets({ config, store, runtime, raise }: SecretsParts): Secrets {
  const flights = new SingleFlight<string>()
  const made = new Map<string, string>()

  async function madeOnce(name: string): Promise<string> {
    const known = made.get(name)
    if (known) return known
    return flights.run(name, async () => {
      const shared = await store.shareSecret(name, randomToken(runtime, 256))
      made.set(name, shared)
      if (store.kind === 'redis') {
        const variable = name === 'vault' ? 'PPOPPO_VAULT_KEYS' : 'PPOPPO_SESSION_SECRET'
        raise({
          type: 'warning',
          code: 'development_secrets',
          detail: `${variable} is not set: one was made and is kept in Redis in the clear, for development only. Run "npx express-ppoppo keygen".`,
        })
      }
      return shared
    })
  }

  const { vaultKeys, clientId } = config
  let keyRing = vaultKeys && createKeyRing({ keys: vaultKeys, clientId, runtime })
  return {
    async keyRing() {
      keyRing ??= createKeyRing({
        keys: [{ id: 'dev', secret: Buffer.from(await madeOnce('vault'), 'base64url') }],
        clientId,
        runtime,
      })
      return keyRing
    },
    async sessionSecrets() {
      return config.sessionSecrets ?? [await madeOnce('session')]
    },
  }
}
