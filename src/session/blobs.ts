import { createHmac, timingSafeEqual } from 'node:crypto'
import { RedisStore } from 'connect-redis'
import type { SessionData } from 'express-session'
import { lengthPrefixed } from '../lib/digest.js'
import { TextCache } from '../lib/text-cache.js'
import type { SessionCommands } from '../store/store.js'
import type { StoredSession } from './stored-session.js'

/** A stored session whose code is right. */
export interface ProvenBlob {
  /** The session as JSON, as `toText` wrote it. */
  readonly text: string
  /** What was derived from the text: each request of the session needs it. */
  derived?: StoredSession | undefined
}

/** The stored sessions. */
export interface Blobs {
  /** connect-redis on our session commands. */
  readonly store: RedisStore
  /** The stored blob, without making a session of it. `null` if there is none, or its code is wrong. */
  read(sid: string): Promise<ProvenBlob | null>
}

/** What the blobs are made of. */
export interface BlobsParts {
  readonly commands: SessionCommands
  /** The secrets that sign the cookie; blob and cookie are renewed together, so they rotate together. */
  readonly secrets: () => Promise<readonly string[]>
  /** How long an unused session lives, in milliseconds, if its cookie does not say. */
  readonly idleMs: number
  /** Writes a session as the text of an object that is not empty. */
  readonly toText: (session: SessionData) => string
  /** Makes a new session of what `toText` wrote; `null` if it cannot. */
  readonly toSession: (blob: ProvenBlob) => SessionData | null
}

/** The last member of a stored blob, so that the blob stays JSON for anybody who inspects the store. */
const CODE = /^(.*),"ppoppo:code":"([\w-]{43})"\}$/s
/** The cache holds up to twice as many: blobs of some 10,000 sessions. See {@link TextCache}. */
const MAX_PROVEN_CHARACTERS = 4_000_000

/**
 * Sessions as JSON in the store. A blob carries a code over itself and its session id, so that somebody who can only write
 * to the store cannot put another person's sign-in into their own session. A blob that has been verified is not verified
 * again until it changes.
 */
export function createBlobs({ commands, secrets, idleMs, toText, toSession }: BlobsParts): Blobs {
  const proven = new TextCache<ProvenBlob>({ maxCharacters: MAX_PROVEN_CHARACTERS })

  async function prove(sid: string, blob: string): Promise<ProvenBlob | null> {
    const [, start = '', code = ''] = CODE.exec(blob) ?? []
    const text = `${start}}`
    if (!(await secrets()).some((secret) => isSame(code, codeOf(secret, sid, text)))) return null
    const found = { text }
    proven.set(sid, blob, found)
    return found
  }

  const read = (sid: string): Promise<ProvenBlob | null> =>
    commands.get(sid).then((blob) => (blob === null ? null : (proven.get(sid, blob) ?? prove(sid, blob))))

  /** The methods of an ioredis client that connect-redis calls. */
  const client = {
    get: read,
    async set(sid: string, text: string, _ex: 'EX', ttlSeconds: number): Promise<void> {
      const [secret = ''] = await secrets()
      const blob = `${text.slice(0, -1)},"ppoppo:code":"${codeOf(secret, sid, text)}"}`
      // The browser's next request reads it.
      if (await commands.set(sid, blob, ttlSeconds)) proven.set(sid, blob, { text })
    },
    async del(sids: readonly string[]): Promise<void> {
      for (const sid of sids) proven.delete(sid)
      await Promise.all(sids.map((sid) => commands.destroy(sid)))
    },
  }
  const store = new RedisStore({
    client,
    prefix: '',
    ttl: Math.ceil(idleMs / 1_000),
    // connect-redis hands on what `get` has returned.
    serializer: { parse: (blob) => toSession(blob as unknown as ProvenBlob) as SessionData, stringify: toText },
  })
  return { store, read }
}

function codeOf(secret: string, sid: string, value: string): string {
  const text = lengthPrefixed(['session blob', sid, value])
  return createHmac('sha256', secret).update(text).digest('base64url')
}

function isSame(one: string, other: string): boolean {
  return one.length === other.length && timingSafeEqual(Buffer.from(one), Buffer.from(other))
}
