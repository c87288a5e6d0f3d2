import type { RaiseEvent } from '../audit-events.js'
import type { Config } from '../config/options.js'
import { type Runtime, randomToken } from '../lib/runtime.js'
import { SingleFlight } from '../lib/single-flight.js'
import type { Store } from '../store/store.js'
import { createKeyRing, type KeyRing } from './keyring.js'

/** The secrets of this instance. Configured ones are there at once; made ones come from the store. */
export interface Secrets {
  keyRing(): Promise<KeyRing>
  /** The first signs, all verify. */
  sessionSecrets(): Promise<readonly string[]>
}

/** What secrets are made of. */
export interface SecretsParts {
  readonly config: Pick<Config, 'clientId' | 'vaultKeys' | 'sessionSecrets'>
  readonly store: Store
  readonly runtime: Runtime
  readonly raise: RaiseEvent
}

/**
 * In development a secret that is not configured is made once and shared through the store, so that several processes
 * on one Redis agree. Whoever reads that Redis reads the secret, hence the warning; in production configuration
 * refuses to start without them.
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

  let keyRing = config.vaultKeys && createKeyRing(config.vaultKeys, config.clientId, runtime)
  return {
    async keyRing() {
      keyRing ??= createKeyRing(
        [{ id: 'dev', secret: Buffer.from(await madeOnce('vault'), 'base64url') }],
        config.clientId,
        runtime,
      )
      return keyRing
    },
    async sessionSecrets() {
      return config.sessionSecrets ?? [await madeOnce('session')]
    },
  }
}
