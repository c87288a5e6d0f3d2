import { type Configuration, type ExportedJWKSCache, getJwksCache, setJwksCache } from 'openid-client'
import type { Runtime } from '../lib/runtime.js'

/** Runs `work` with a configuration that knows the key set of PAS. */
export type KeepKeys = <T>(work: (client: Configuration) => Promise<T>) => Promise<T>

/** openid-client fetches a key set anew for a key it does not know, but only when the set is this old. */
const OLD_ENOUGH_SECONDS = 60

/**
 * Keeps PAS's key set for five minutes, and no longer than it works: PAS may change its keys between two sign-ins of the
 * same minute, and an id_token that did not verify must not fail again because of a key set that was wrong once.
 * openid-client ties its own memory of keys to the configuration, so each exchange gets a new one.
 */
export function createKeepKeys(runtime: Runtime, configure: () => Configuration): KeepKeys {
  let keys: ExportedJWKSCache | undefined
  return async (work) => {
    const client = configure()
    const looksOld = Math.floor(runtime.now() / 1000) - OLD_ENOUGH_SECONDS
    if (keys) setJwksCache(client, { jwks: keys.jwks, uat: Math.min(keys.uat, looksOld) })
    try {
      const result = await work(client)
      keys = getJwksCache(client)
      return result
    } catch (error) {
      keys = undefined
      throw error
    }
  }
}
