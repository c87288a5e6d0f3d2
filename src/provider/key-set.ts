import type { Runtime } from '../lib/runtime.js'
import { SingleFlight } from '../lib/single-flight.js'
import { fromStatus, notJson } from './faults.js'
import { type AskProvider, parseJson } from './http.js'
import { isKeyFor, isSignedBy, isUsableKey, type Jwk, type Jws } from './jws.js'
import { readKeySet } from './read-answers.js'

/** PAS's published keys. */
export interface KeySet {
  /**
   * `'no_key'`: PAS publishes no key with this `kid` and algorithm. `'forged'`: no such key made the signature.
   * @throws what fetching the keys throws.
   */
  judge(jws: Jws): Promise<'verified' | 'no_key' | 'forged'>
  /** Asks PAS whether it publishes a key that may sign an id_token. @throws what fetching the keys throws. */
  hasUsableKey(): Promise<boolean>
}

/** What {@link createKeySet} is made of. */
export interface KeySetParts {
  readonly fetchKeys: () => Promise<readonly Jwk[]>
  readonly runtime: Pick<Runtime, 'monotonic'>
}

const FRESH_MS = 5 * 60_000

/**
 * Keeps the keys for five minutes, or until a signature does not verify: PAS may change its keys at any time, and a
 * retry must not fail because of keys that have already failed once.
 */
export function createKeySet({ fetchKeys, runtime }: KeySetParts): KeySet {
  const flights = new SingleFlight<readonly Jwk[]>()
  let known: { readonly keys: readonly Jwk[]; readonly until: number } | undefined

  async function refetch(): Promise<readonly Jwk[]> {
    const keys = await fetchKeys()
    known = { keys, until: runtime.monotonic() + FRESH_MS }
    return keys
  }

  return {
    async judge(jws) {
      const kept = known && runtime.monotonic() < known.until ? known.keys : undefined
      const before = kept && judgeBy(kept, jws)
      if (before === 'verified') return before
      const fetched = await flights.run('keys', refetch).catch((error: unknown) => {
        // Without newer keys the verdict stands, because the key that the token names did not make the signature.
        if (before === 'forged') return kept ?? []
        throw error
      })
      const verdict = judgeBy(fetched, jws)
      if (verdict !== 'verified') known = undefined
      return verdict
    },
    async hasUsableKey() {
      const keys = await flights.run('keys', refetch)
      return keys.some(isUsableKey)
    },
  }
}

function judgeBy(keys: readonly Jwk[], jws: Jws): 'verified' | 'no_key' | 'forged' {
  const candidates = keys.filter((key) => isKeyFor(jws.header, key))
  if (candidates.some((key) => isSignedBy(jws, key))) return 'verified'
  return candidates.length > 0 ? 'forged' : 'no_key'
}

/** Fetches PAS's key set (RFC 7517 5). @throws the same errors as every call to PAS */
export async function fetchKeys(ask: AskProvider, url: string): Promise<readonly Jwk[]> {
  const headers = { accept: 'application/json, application/jwk-set+json' }
  const { status, body } = await ask(url, { method: 'GET', headers })
  const { origin, pathname } = new URL(url)
  const operation = `request for its keys at ${origin}${pathname}`
  if (status !== 200) throw fromStatus(operation, status, '')
  const parsed = parseJson(body)
  if (parsed === undefined) throw notJson(operation)
  return readKeySet(parsed)
}
