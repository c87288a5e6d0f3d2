import { createSecretKey, hkdfSync, type KeyObject } from 'node:crypto'
import type { VaultKey } from '../config/options.js'
import { lengthPrefixed } from '../lib/digest.js'

/** What a derived key is for. */
export interface KeyPurpose {
  /** What kind of record: `'sign-in'` or `'transaction'`. */
  readonly purpose: string
  /** The record's id, or a part of it, so that records share keys that are derived once. */
  readonly salt: string
}

/** Bounds the keys in memory. Deriving one takes as long as sealing with it, and more. */
const MAX_KEYS = 1_000

/**
 * The encryption keys that one client derives from a vault key, per purpose and salt, by HKDF-SHA-256 (RFC 5869). The latest
 * are kept. They are `KeyObject`s, since Node 24 takes four times as long to encrypt with a key that is bytes.
 */
export class DerivedKeys {
  readonly #vaultKey: KeyObject
  readonly #clientId: string
  readonly #kept = new Map<string, KeyObject>()

  constructor({ secret }: Pick<VaultKey, 'secret'>, clientId: string) {
    this.#vaultKey = createSecretKey(secret)
    this.#clientId = clientId
  }

  /** 256 bits. */
  for({ purpose, salt }: KeyPurpose): KeyObject {
    const name = JSON.stringify([purpose, salt])
    const kept = this.#kept.get(name)
    if (kept) return kept
    const info = lengthPrefixed([purpose, this.#clientId])
    const key = createSecretKey(new Uint8Array(hkdfSync('sha256', this.#vaultKey, salt, info, 32)))
    this.#kept.set(name, key)
    const [oldest] = this.#kept.size > MAX_KEYS ? this.#kept.keys() : []
    if (oldest !== undefined) this.#kept.delete(oldest)
    return key
  }
}
