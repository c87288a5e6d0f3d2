import { TextCache } from '../lib/text-cache.js'
import type { VersionedRecord } from '../store/store.js'
import type { KeyRing } from './keyring.js'
import {
  type OpenedRecord,
  openRecord,
  parseRecord,
  type SealedRecord,
  type SignIn,
  toOpenedRecord,
  toSignIn,
} from './record.js'

/** Opens records, each text once. */
export interface OpenedRecords {
  /** The sign-in of a record; `undefined` if it does not open. */
  open(keys: KeyRing, id: string, record: VersionedRecord): SignIn | undefined
  /** For a record that was just written, since the next request reads it. */
  remember(signIn: SignIn, written: SealedRecord): void
  forget(id: string): void
}

/** The cache holds at most twice as many: the records of some 5,000 people. See {@link TextCache}. */
const MAX_OPENED_CHARACTERS = 4_000_000

/** Creates the cache of one vault. A record that changes is opened again, because its text is another. */
export function createOpenedRecords(): OpenedRecords {
  const opened = new TextCache<OpenedRecord>({ maxCharacters: MAX_OPENED_CHARACTERS })
  return {
    open(keys, id, record) {
      const known = opened.get(id, record.value)
      if (known) return toSignIn(keys, known)
      const clear = parseRecord(id, record)
      const signIn = clear && openRecord(keys, clear)
      if (signIn) opened.set(id, record.value, toOpenedRecord(clear, signIn))
      return signIn
    },
    remember(signIn, { text, clear }) {
      opened.set(signIn.id, text, toOpenedRecord(clear, signIn))
    },
    forget: (id) => opened.delete(id),
  }
}
