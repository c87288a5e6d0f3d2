import type { Adapter, AdapterPayload } from 'oidc-provider'
import { BoundedMap } from '../lib/bounded-map.js'

const ENTRIES_PER_MODEL = 10_000

interface Entry {
  readonly payload: AdapterPayload
  readonly expiresAtMs: number
}

/**
 * Where oidc-provider keeps codes, tokens and grants: one map per kind and per sandbox, in memory, bounded.
 * Its own memory adapter is one map of 1,000 entries for everything, where a burst of sign-ins evicts refresh tokens.
 */
export class Storage {
  readonly #models = new Map<string, BoundedMap<string, Entry>>()

  adapter(model: string): Adapter {
    const entries = this.#entriesOf(model)
    const find = async (id: string): Promise<AdapterPayload | undefined> => {
      const entry = entries.get(id)
      if (entry === undefined || entry.expiresAtMs > Date.now()) return entry?.payload
      entries.delete(id)
      return undefined
    }
    const findWhere = async (matches: (payload: AdapterPayload) => boolean): Promise<AdapterPayload | undefined> => {
      for (const [id, { payload }] of entries) if (matches(payload)) return find(id)
      return undefined
    }
    return {
      find,
      findByUid: (uid) => findWhere((payload) => payload.uid === uid),
      findByUserCode: (userCode) => findWhere((payload) => payload.userCode === userCode),
      upsert: async (id, payload, expiresIn) => {
        entries.set(id, { payload, expiresAtMs: expiresIn === undefined ? Infinity : Date.now() + expiresIn * 1000 })
      },
      consume: async (id) => {
        const entry = entries.get(id)
        if (entry !== undefined) entry.payload.consumed = Math.floor(Date.now() / 1000)
      },
      destroy: async (id) => {
        entries.delete(id)
      },
      revokeByGrantId: async (grantId) => this.#removeFrom(model, (payload) => payload.grantId === grantId),
    }
  }

  /** Ends every code, token and grant of one user. */
  removeOfUser(sub: string): void {
    for (const model of this.#models.keys()) this.#removeFrom(model, (payload) => payload.accountId === sub)
  }

  /** Ends every code and token that came from one authorization. */
  removeOfGrant(grantId: string): void {
    for (const model of this.#models.keys()) this.#removeFrom(model, (payload) => payload.grantId === grantId)
  }

  refreshToken(token: string): AdapterPayload | undefined {
    return this.#entriesOf('RefreshToken').get(token)?.payload
  }

  /** Using a refresh token restarts its idle time. */
  extendRefreshToken(token: string, ttlSeconds: number): void {
    const entries = this.#entriesOf('RefreshToken')
    const entry = entries.get(token)
    if (entry === undefined) return
    const exp = Math.floor(Date.now() / 1000) + ttlSeconds
    entries.set(token, { payload: { ...entry.payload, exp }, expiresAtMs: exp * 1000 })
  }

  #entriesOf(model: string): BoundedMap<string, Entry> {
    const known = this.#models.get(model)
    if (known !== undefined) return known
    const entries = new BoundedMap<string, Entry>(ENTRIES_PER_MODEL)
    this.#models.set(model, entries)
    return entries
  }

  #removeFrom(model: string, matches: (payload: AdapterPayload) => boolean): void {
    const entries = this.#entriesOf(model)
    for (const [id, { payload }] of entries) if (matches(payload)) entries.delete(id)
  }
}
