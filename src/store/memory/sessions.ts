import { MAX_SIGN_INS_PER_USER } from '../bounds.js'
import { type SessionCommands, TOMBSTONE_TTL_MS } from '../store.js'
import { ExpiringMap } from './expiring-map.js'

interface MemorySessions {
  readonly commands: SessionCommands
  sweep(): void
  clear(): void
}

/** What the sessions in memory are made of. */
export interface MemorySessionsParts {
  readonly now: () => number
  /** For all sessions together. */
  readonly cap: number
  readonly personIn: (blob: string) => string | undefined
  /** Throws once the store is closed. */
  readonly assertOpen: () => void
}

/**
 * The memory store's session blobs. Anybody can cause thousands of sessions, but only signed-out ones, so those are
 * evicted first. One person has no more signed-in sessions than sign-ins, so one account cannot push others out either.
 */
export function createMemorySessions(parts: MemorySessionsParts): MemorySessions {
  const { now, cap, personIn, assertOpen } = parts
  const bounds = { holds: 'sessions', cap, whenFull: 'evict-oldest', now } as const
  const signedIn = new ExpiringMap<string>({ ...bounds, onDrop: leavePerson })
  const signedOut = new ExpiringMap<string>(bounds)
  /** Tombstones, kept apart: a flood of visitors must not evict the record that a session has ended. */
  const ended = new ExpiringMap<true>(bounds)
  const personOf = new Map<string, string>()
  /** Sessions by person, least recently written first. */
  const sessionsOf = new Map<string, Set<string>>()

  function leavePerson(sid: string): void {
    const person = personOf.get(sid) ?? ''
    personOf.delete(sid)
    const sids = sessionsOf.get(person)
    sids?.delete(sid)
    if (sids?.size === 0) sessionsOf.delete(person)
  }

  function enterPerson(sid: string, person: string): void {
    personOf.set(sid, person)
    const sids = (sessionsOf.get(person) ?? new Set()).add(sid)
    sessionsOf.set(person, sids)
    const [oldest = sid] = sids
    if (sids.size > MAX_SIGN_INS_PER_USER) loseRank(oldest)
  }

  function loseRank(sid: string): void {
    const [blob, expiresAt] = [signedIn.get(sid), signedIn.expiryOf(sid)]
    signedIn.delete(sid)
    if (blob !== undefined && expiresAt !== undefined) signedOut.set(sid, blob, expiresAt)
  }

  function makeRoom(): void {
    for (const sessions of [signedOut, signedIn]) {
      if (signedOut.size + signedIn.size < cap) return
      sessions.sweepIfDue()
    }
    if (signedOut.size + signedIn.size >= cap && !signedOut.dropOldest()) signedIn.dropOldest()
  }

  function drop(sid: string): void {
    signedIn.delete(sid)
    signedOut.delete(sid)
  }

  /** Whatever is written becomes the youngest. */
  function keep(sid: string, blob: string, expiresAt: number): void {
    drop(sid)
    makeRoom()
    const person = personIn(blob)
    if (person === undefined) return signedOut.set(sid, blob, expiresAt)
    signedIn.set(sid, blob, expiresAt)
    enterPerson(sid, person)
  }

  const commands: SessionCommands = {
    async get(sid): Promise<string | null> {
      assertOpen()
      return signedIn.get(sid) ?? signedOut.get(sid) ?? null
    },
    async set(sid, value, ttlSeconds): Promise<boolean> {
      assertOpen()
      if (ended.get(sid)) return false
      keep(sid, value, now() + ttlSeconds * 1000)
      return true
    },
    async destroy(sid): Promise<void> {
      assertOpen()
      drop(sid)
      ended.set(sid, true, now() + TOMBSTONE_TTL_MS)
    },
  }

  return {
    commands,
    sweep(): void {
      signedIn.sweep()
      signedOut.sweep()
      ended.sweep()
    },
    clear(): void {
      signedIn.clear()
      signedOut.clear()
      ended.clear()
      personOf.clear()
      sessionsOf.clear()
    },
  }
}
