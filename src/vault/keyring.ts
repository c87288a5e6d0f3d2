import { createCipheriv, createDecipheriv } from 'node:crypto'
import type { VaultKey } from '../config/options.js'
import { lengthPrefixed } from '../lib/digest.js'
import type { Runtime } from '../lib/runtime.js'
import { DerivedKeys, type KeyPurpose } from './derived-keys.js'

/** What a sealed text is for and belongs to. It opens only with exactly the same context. */
export interface SealContext extends KeyPurpose {
  /** Everything else that the sealed text is bound to (sub, created, absolute expiry, an id that is not the salt, ...). */
  readonly binding: readonly string[]
}

/** Seals and opens records with AES-256-GCM, under a key for each purpose and salt. */
export interface KeyRing {
  /** `v1.<keyId>.<base64url of nonce, ciphertext, tag>`, under the first key. */
  seal(context: SealContext, plaintext: string | Uint8Array): string
  /**
   * The plaintext, or `undefined` if the text was changed, cut, re-encoded or moved, or its key is unknown. All causes
   * give the same answer, so that an attacker learns nothing from it.
   */
  open(context: SealContext, text: string): string | undefined
  /** Like {@link open}, for what was sealed as bytes. */
  openBytes(context: SealContext, text: string): Buffer | undefined
  /** Whether a text was sealed under a key that is no longer the first. */
  isOld(text: string): boolean
}

const VERSION = 'v1'
const NONCE_BYTES = 12
const TAG_BYTES = 16

/** What {@link createKeyRing} is made of. */
export interface KeyRingParts {
  /** The first one seals, any of them opens. */
  readonly keys: readonly VaultKey[]
  /** Part of what a text is bound to: one that was sealed for another client does not open. */
  readonly clientId: string
  readonly runtime: Pick<Runtime, 'randomBytes'>
}

/** @throws TypeError without a key */
export function createKeyRing({ keys, clientId, runtime }: KeyRingParts): KeyRing {
  const [first] = keys
  if (!first) throw new TypeError('a key ring needs at least one key')
  const sealing = new DerivedKeys(first, clientId)
  const byId = new Map(keys.map((key) => [key.id, key === first ? sealing : new DerivedKeys(key, clientId)]))

  const ring: KeyRing = {
    seal(context, plaintext) {
      const nonce = runtime.randomBytes(NONCE_BYTES)
      const bytes = typeof plaintext === 'string' ? Buffer.from(plaintext, 'utf8') : plaintext
      const cipher = createCipheriv('aes-256-gcm', sealing.for(context), nonce)
      cipher.setAAD(additionalData(first.id, context, clientId))
      const sealed = Buffer.concat([nonce, cipher.update(bytes), cipher.final(), cipher.getAuthTag()])
      return `${VERSION}.${first.id}.${sealed.toString('base64url')}`
    },

    open: (context, text) => ring.openBytes(context, text)?.toString('utf8'),

    openBytes(context, text) {
      const [version, keyId, body, ...rest] = text.split('.')
      const opening = byId.get(keyId ?? '')
      if (version !== VERSION || !keyId || !opening || !body || rest.length > 0) return undefined
      const sealed = Buffer.from(body, 'base64url')
      // Node decodes leniently, but only exactly the text that we wrote may open.
      if (sealed.toString('base64url') !== body || sealed.length < NONCE_BYTES + TAG_BYTES) return undefined
      const [key, nonce] = [opening.for(context), sealed.subarray(0, NONCE_BYTES)]
      const decipher = createDecipheriv('aes-256-gcm', key, nonce, { authTagLength: TAG_BYTES })
      decipher.setAAD(additionalData(keyId, context, clientId))
      decipher.setAuthTag(sealed.subarray(-TAG_BYTES))
      try {
        return Buffer.concat([decipher.update(sealed.subarray(NONCE_BYTES, -TAG_BYTES)), decipher.final()])
      } catch {
        return undefined
      }
    },

    isOld: (text) => !text.startsWith(`${VERSION}.${first.id}.`),
  }
  return ring
}

function additionalData(keyId: string, context: SealContext, clientId: string): Buffer {
  const parts = [VERSION, context.purpose, keyId, clientId, context.salt, ...context.binding]
  return lengthPrefixed(parts)
}
