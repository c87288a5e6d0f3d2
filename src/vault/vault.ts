import type { RaiseEvent } from '../audit-events.js'
import type { Config } from '../config/options.js'
import { PpoppoError } from '../errors.js'
import { digestOf } from '../lib/digest.js'
import { RecentSet } from '../lib/recent-set.js'
import { type Runtime, randomToken } from '../lib/runtime.js'
import { wait } from '../lib/wait.js'
import type { Store, VersionedRecord } from '../store/store.js'
import type { KeyRing } from './keyring.js'
import { expiryOf } from './lifetimes.js'
import { createOpenedRecords } from './opened-records.js'
import { type ClearRecord, openRecord, parseRecord, type SignIn, sealRecord } from './record.js'

/** All sign-ins. A record here *is* the sign-in: once it is deleted, nothing brings it back. */
export interface Vault {
  /** A new, unused id for a sign-in of the person `sub`. */
  newId(sub: string): string
  /** @returns `undefined` when the person signed out everywhere after this attempt began. */
  create(signIn: NewSignIn, attemptStartedAt: number): Promise<SignIn | undefined>
  /** The sign-in, or `undefined` when there is none, or its record does not open (which raises `vault_unreadable`). */
  read(id: string): Promise<SignIn | undefined>
  /** The same of a record that has been read. */
  open(id: string, record: VersionedRecord | undefined): Promise<SignIn | undefined>
  /** Which of these sign-ins have ended or expired. */
  endedOf(ids: readonly string[]): Promise<readonly string[]>
  /**
   * Writes the sign-in that `change` returns. If it was written meanwhile, `change` is called again with the newer one.
   * If `change` returns `undefined`, nothing is written.
   * @param seen its record, if it has been read: it is read again only if it was written since
   * @returns the sign-in as it is now; `undefined` when there is none any more.
   */
  update(
    id: string,
    change: (current: SignIn) => SignIn | undefined,
    seen?: VersionedRecord,
  ): Promise<SignIn | undefined>
  /**
   * Deletes the sign-in; with `onlyIf`, only if that returns `true`.
   * @returns what was deleted, without tokens if they do not open.
   */
  remove(id: string, onlyIf?: (current: SignIn) => boolean): Promise<EndedSignIn | undefined>
  /** Like `remove`, for a sign-in that nobody uses. Never throws; if the store fails, it is retried once later. */
  discard(id: string): Promise<EndedSignIn | undefined>
  /** Like `discard`, for a sign-in whose browser has signed in again: {@link fate} remembers that for a while. */
  replace(id: string): Promise<EndedSignIn | undefined>
  /**
   * What happened to a sign-in that `read` does not return. One that does not open counts as `'there'`, because another
   * instance may have its key.
   */
  fate(id: string): Promise<'there' | 'replaced' | 'gone'>
  /** Ends all sign-ins of a person, also any being created at this moment. */
  removeAll(sub: string): Promise<readonly EndedSignIn[]>
  /** All sign-ins of a person, newest first. */
  list(sub: string): Promise<readonly ClearRecord[]>
  /** Whether `id` is a sign-in of the person `sub` with this client. */
  isOf(sub: string, id: string): boolean
}

/** A sign-in about to be created. */
export type NewSignIn = Pick<
  SignIn,
  'sub' | 'ppnum' | 'accountType' | 'userAgent' | 'scopes' | 'tokens' | 'account'
> & {
  /** From {@link Vault.newId}. @default a new one */
  readonly id?: string
}

/** A sign-in that has ended. */
export type EndedSignIn = ClearRecord & Partial<Pick<SignIn, 'tokens'>>

/** What a vault needs. */
export interface VaultParts {
  readonly config: Pick<Config, 'clientId' | 'idleMs' | 'absoluteMs'>
  readonly store: Store
  readonly keyRing: () => Promise<KeyRing>
  readonly runtime: Runtime
  readonly raise: RaiseEvent
}

/** An attempt is refused after 10 minutes; the rest is margin for onSignIn and for clocks that differ. */
const NOT_BEFORE_TTL_MS = 60 * 60_000
const TAG_LENGTH = 22
/** What follows the tag in a sign-in's id. */
const RANDOM_PART = /^\.[\w-]{22}$/
/** Enough, because a sign-in has few concurrent writers: a touch, a refresh, a rewrap. */
export const MAX_CONFLICTS: number = 16
/** A command that timed out runs within this time or never. */
const LATE_CREATION_MS = 3_000
/** Longer than any request takes. */
const REPLACED_TTL_SECONDS = 600

export function createVault({ config, store, keyRing, runtime, raise }: VaultParts): Vault {
  const opened = createOpenedRecords()
  let ring: KeyRing | undefined
  const unreadable = new RecentSet({ ttlMs: 60_000, capacity: 1_000, now: runtime.monotonic })

  const tagFor = (sub: string): string => digestOf('user', config.clientId, sub).slice(0, TAG_LENGTH)

  const newId = (sub: string): string => `${tagFor(sub)}.${randomToken(runtime, 128)}`

  async function open(id: string, record: VersionedRecord | undefined): Promise<SignIn | undefined> {
    ring ??= await keyRing()
    return openWith(ring, id, record)
  }

  function openWith(keys: KeyRing, id: string, record: VersionedRecord | undefined): SignIn | undefined {
    if (!record) return undefined
    const signIn = opened.open(keys, id, record)
    if (!signIn) {
      // Not deleted, because one instance with an old key list must not sign everyone out.
      if (!unreadable.has(id)) raise({ type: 'vault_unreadable', signInId: id })
      unreadable.add(id)
      return undefined
    }
    return expiryOf(signIn, config.idleMs) > runtime.now() ? signIn : undefined
  }

  async function toEnded(id: string, record: VersionedRecord): Promise<EndedSignIn | undefined> {
    opened.forget(id)
    const clear = parseRecord(id, record)
    if (!clear) return undefined
    const tokens = openRecord(await keyRing(), clear)?.tokens
    return tokens ? { ...clear, tokens } : clear
  }

  async function update(
    id: string,
    change: (current: SignIn) => SignIn | undefined,
    seen?: VersionedRecord,
  ): Promise<SignIn | undefined> {
    for (let attempt = 0; attempt < MAX_CONFLICTS; attempt += 1) {
      const record = (attempt === 0 && seen) || (await store.readSignIn(id))
      const current = await open(id, record)
      if (!record || !current) return undefined
      const next = change(current)
      if (!next) return current
      const expiresAt = expiryOf(next, config.idleMs)
      const sealed = sealRecord(await keyRing(), next, expiresAt)
      const result = await store.writeSignIn(id, record.version, sealed.text, expiresAt)
      if (result === 'written') {
        opened.remember(next, sealed)
        return next
      }
      if (result === 'gone') return undefined
    }
    throw new PpoppoError('store_unavailable', 'A sign-in is being written too often at once; try again.')
  }

  async function remove(id: string, onlyIf?: (current: SignIn) => boolean): Promise<EndedSignIn | undefined> {
    if (!onlyIf) {
      const deleted = await store.deleteSignIn(id)
      return deleted && toEnded(id, deleted)
    }
    for (let attempt = 0; attempt < MAX_CONFLICTS; attempt += 1) {
      const record = await store.readSignIn(id)
      const current = await open(id, record)
      if (!record || !current || !onlyIf(current)) return undefined
      const deleted = await store.deleteSignIn(id, record.version)
      if (deleted) return toEnded(id, deleted)
    }
    return undefined
  }

  /** A creation that timed out has an unknown outcome: it may leave a record that nobody uses. */
  async function removeLater(id: string): Promise<void> {
    await wait(LATE_CREATION_MS)
    await store.deleteSignIn(id).catch(() => {})
  }

  const discard = (id: string): Promise<EndedSignIn | undefined> =>
    remove(id).catch(() => {
      void removeLater(id)
      return undefined
    })

  return {
    newId,

    async create(signIn, attemptStartedAt) {
      const now = runtime.now()
      const complete: SignIn = {
        ...signIn,
        id: signIn.id ?? newId(signIn.sub),
        createdAt: now,
        lastSeenAt: now,
        touchedAt: now,
        refreshedAt: now,
        absoluteExpiresAt: now + config.absoluteMs,
      }
      const expiresAt = expiryOf(complete, config.idleMs)
      const sealed = sealRecord(await keyRing(), complete, expiresAt)
      try {
        const created = await store.createSignIn(complete.id, sealed.text, expiresAt, attemptStartedAt)
        if (!created) return undefined
        opened.remember(complete, sealed)
        return complete
      } catch (error) {
        void removeLater(complete.id)
        throw error
      }
    },

    // Without `async`, because every request of a signed-in person comes here.
    read: (id) => store.readSignIn(id).then((record) => (ring ? openWith(ring, id, record) : open(id, record))),
    open,
    endedOf: store.missingSignIns,
    update,
    remove,

    discard,

    async replace(id) {
      // A request with the old session may still be running.
      await store.sessions.set(replacedMark(id), '1', REPLACED_TTL_SECONDS).catch(() => {})
      return discard(id)
    },

    async fate(id) {
      const record = await store.readSignIn(id)
      const clear = record && parseRecord(id, record)
      if (record && (!clear || clear.expiresAt > runtime.now())) return 'there'
      return (await store.sessions.get(replacedMark(id))) === null ? 'gone' : 'replaced'
    },

    async removeAll(sub) {
      const deleted = await store.deleteAllSignIns(tagFor(sub), NOT_BEFORE_TTL_MS)
      const ended = await Promise.all(deleted.map((record) => toEnded(record.id, record)))
      return ended.filter((one) => one !== undefined)
    },

    async list(sub) {
      const records = await store.listSignIns(tagFor(sub))
      return records
        .map((record) => parseRecord(record.id, record))
        .filter((record) => record !== undefined)
        .filter((record) => record.expiresAt > runtime.now())
        .sort((a, b) => b.createdAt - a.createdAt)
    },

    isOf: (sub, id) => RANDOM_PART.test(id.slice(TAG_LENGTH)) && id.startsWith(`${tagFor(sub)}.`),
  }
}

/** Stored among the session blobs; it cannot collide, because no session id contains a colon. */
function replacedMark(id: string): string {
  return `replaced:${id}`
}
