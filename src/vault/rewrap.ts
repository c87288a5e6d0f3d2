import { PpoppoError } from '../errors.js'
import type { Store } from '../store/store.js'
import type { KeyRing } from './keyring.js'
import { openRecord, parseRecord, sealRecord } from './record.js'
import { MAX_CONFLICTS } from './vault.js'

/** Counts of records: examined, re-encrypted, and skipped because they do not open. */
export interface RewrapProgress {
  readonly seen: number
  readonly rewrapped: number
  readonly unreadable: number
}

/** What rewrapping needs. */
export interface RewrapParts {
  readonly store: Pick<Store, 'scanSignIns' | 'readSignIn' | 'writeSignIn'>
  readonly keyRing: KeyRing
  /** Only count what would be re-encrypted. @default false */
  readonly isDryRun?: boolean
}

/** What happened to one record. `gone`: it ended before it could be read. */
type Outcome = 'rewrapped' | 'current' | 'unreadable' | 'gone'

/**
 * Re-encrypts every record that is under an old key. It overwrites a record only if that has not changed since it was
 * read, so a concurrent sign-out is never undone. It takes all times from the record itself, so no sign-in lives longer
 * or shorter, whatever lifetimes the rewrapping process is configured with.
 */
export async function rewrapAll(
  parts: RewrapParts,
  onProgress?: (progress: RewrapProgress) => void,
): Promise<RewrapProgress> {
  let progress: RewrapProgress = { seen: 0, rewrapped: 0, unreadable: 0 }
  // A scan may return an id twice.
  const known = new Set<string>()
  for await (const id of parts.store.scanSignIns()) {
    if (known.has(id)) continue
    known.add(id)
    const outcome = await rewrapOne(parts, id)
    if (outcome === 'gone') continue
    progress = {
      seen: progress.seen + 1,
      rewrapped: progress.rewrapped + (outcome === 'rewrapped' ? 1 : 0),
      unreadable: progress.unreadable + (outcome === 'unreadable' ? 1 : 0),
    }
    onProgress?.(progress)
  }
  return progress
}

async function rewrapOne({ store, keyRing, isDryRun }: RewrapParts, id: string): Promise<Outcome> {
  for (let attempt = 0; attempt < MAX_CONFLICTS; attempt += 1) {
    const record = await store.readSignIn(id)
    if (!record) return 'gone'
    const clear = parseRecord(id, record)
    const signIn = clear && openRecord(keyRing, clear)
    if (!signIn) return 'unreadable'
    if (!keyRing.isOld(clear.sealed)) return 'current'
    if (isDryRun) return 'rewrapped'
    const { expiresAt } = clear
    const { text } = sealRecord(keyRing, signIn, expiresAt)
    const result = await store.writeSignIn(id, record.version, text, expiresAt)
    if (result === 'written') return 'rewrapped'
    if (result === 'gone') return 'gone'
    // Another process wrote it meanwhile, perhaps already under the new key: read it again.
  }
  throw new PpoppoError('store_unavailable', 'A sign-in is being written too often at once; try again.')
}
