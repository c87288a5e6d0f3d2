import { MAX_SIGN_INS_PER_USER } from '../bounds.js'
import { type SignInMethods, tagOf, type VersionedRecord, type WriteResult } from '../store.js'
import { ExpiringMap } from './expiring-map.js'

interface MemorySignIns {
  readonly methods: SignInMethods
  sweep(): void
  clear(): void
}

/** What the sign-ins in memory are made of. */
export interface MemorySignInsParts {
  readonly now: () => number
  /** The clock that dates the start of attempts: each time is later than the one before. */
  readonly orderedNow: () => number
  readonly cap: number
  /** Throws once the store is closed. */
  readonly assertOpen: () => void
}

/**
 * The memory store's sign-ins: records, each user's index, and each user's `notbefore`. No method awaits between reading
 * and writing, so each is one step.
 */
export function createMemorySignIns({ now, orderedNow, cap, assertOpen }: MemorySignInsParts): MemorySignIns {
  const idsByTag = new Map<string, Set<string>>()
  const records = new ExpiringMap<VersionedRecord>({
    holds: 'sign-ins',
    cap,
    whenFull: 'refuse',
    now,
    onDrop: leaveIndex,
  })
  const notBefore = new ExpiringMap<number>({ holds: 'sign-out marks', cap, whenFull: 'evict-oldest', now })

  function enterIndex(id: string): void {
    const tag = tagOf(id)
    const ids = idsByTag.get(tag) ?? new Set()
    idsByTag.set(tag, ids.add(id))
  }

  function leaveIndex(id: string): void {
    const tag = tagOf(id)
    const ids = idsByTag.get(tag)
    ids?.delete(id)
    if (ids?.size === 0) idsByTag.delete(tag)
  }

  /** Makes room for `id` among its user's sign-ins. */
  function dropExcess(id: string): void {
    const others = [...(idsByTag.get(tagOf(id)) ?? [])].filter((one) => one !== id)
    if (others.length < MAX_SIGN_INS_PER_USER) return
    const byExpiry = others.sort((a, b) => (records.expiryOf(a) ?? 0) - (records.expiryOf(b) ?? 0))
    for (const one of byExpiry.slice(0, others.length + 1 - MAX_SIGN_INS_PER_USER)) records.delete(one)
  }

  function liveOf(tag: string): (VersionedRecord & { readonly id: string })[] {
    return [...(idsByTag.get(tag) ?? [])].flatMap((id) => {
      const record = records.get(id)
      return record === undefined ? [] : [{ id, ...record }]
    })
  }

  const methods: SignInMethods = {
    async createSignIn(id, value, expiresAt, attemptStartedAt): Promise<boolean> {
      assertOpen()
      const signedOutAt = notBefore.get(tagOf(id))
      if (signedOutAt !== undefined && attemptStartedAt <= signedOutAt) return false
      if (records.get(id) !== undefined || expiresAt <= now()) return false
      records.set(id, { version: 1, value }, expiresAt)
      enterIndex(id)
      dropExcess(id)
      return true
    },
    async readSignIn(id): Promise<VersionedRecord | undefined> {
      assertOpen()
      return records.get(id)
    },
    async missingSignIns(ids): Promise<readonly string[]> {
      assertOpen()
      return ids.filter((id) => records.get(id) === undefined)
    },
    async writeSignIn(id, expectedVersion, value, expiresAt): Promise<WriteResult> {
      assertOpen()
      const record = records.get(id)
      if (record === undefined) return 'gone'
      if (record.version !== expectedVersion) return 'conflict'
      if (expiresAt <= now()) records.delete(id)
      else records.set(id, { version: expectedVersion + 1, value }, expiresAt)
      return 'written'
    },
    async deleteSignIn(id, expectedVersion): Promise<VersionedRecord | undefined> {
      assertOpen()
      const record = records.get(id)
      if (record === undefined) return undefined
      if (expectedVersion !== undefined && record.version !== expectedVersion) return undefined
      records.delete(id)
      return record
    },
    async listSignIns(tag): Promise<readonly (VersionedRecord & { readonly id: string })[]> {
      assertOpen()
      return liveOf(tag)
    },
    async deleteAllSignIns(tag, notBeforeTtlMs): Promise<readonly (VersionedRecord & { readonly id: string })[]> {
      assertOpen()
      notBefore.set(tag, orderedNow(), now() + notBeforeTtlMs)
      const deleted = liveOf(tag)
      for (const { id } of deleted) records.delete(id)
      return deleted
    },
    async *scanSignIns(): AsyncIterable<string> {
      assertOpen()
      yield* [...records.keys()]
    },
  }

  return {
    methods,
    sweep(): void {
      records.sweep()
      notBefore.sweep()
    },
    clear(): void {
      records.clear()
      notBefore.clear()
      idsByTag.clear()
    },
  }
}
