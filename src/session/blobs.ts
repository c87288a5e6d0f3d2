import { createHmac, timingSafeEqual } from 'node:crypto'
import { lengthPrefixed } from '../lib/digest.js'
import { parseJsonObject } from '../lib/guards.js'
import { TextCache } from '../lib/text-cache.js'
import type { SessionCommands } from '../store/store.js'

/** Sessions as JSON in the store. */
export interface Blobs {
  /** What lies under this id: an object of its own for each call; `undefined` where there is none, or it is not ours. */
  read(sid: string): Promise<Record<string, unknown> | undefined>
  /** Writes the text of an object that is not empty; nothing where the session has ended. */
  write(sid: string, text: string, ttlSeconds: number): Promise<void>
  end(sid: string): Promise<void>
}

/** What the blobs are made of. */
export interface BlobsParts {
  readonly commands: SessionCommands
  /** Those that sign the cookie; blob and cookie are renewed together, so they rotate together. */
  readonly secrets: () => Promise<readonly string[]>
}

/** The last member of a stored blob, which stays JSON for whoever looks into the store. */
const CODE = /^(.*),"ppoppo:code":"([\w-]{43})"\}$/s
/** Twice as many at most: blobs of some 10,000 sessions. See {@link TextCache}. */
const MAX_PROVEN_CHARACTERS = 4_000_000

/**
 * The store's session commands. A blob carries a code over itself and its session id, so who can only write to the store
 * puts nobody's sign-in into a session of their own. A blob that has been read is not proven again while it is the same.
 */
export function createBlobs({ commands, secrets }: BlobsParts): Blobs {
  const proven = new TextCache<string>({ maxCharacters: MAX_PROVEN_CHARACTERS })

  async function prove(sid: string, blob: string): Promise<string | undefined> {
    const [, start = '', code = ''] = CODE.exec(blob) ?? []
    const text = `${start}}`
    if (!(await secrets()).some((secret) => isSame(code, codeOf(secret, sid, text)))) return undefined
    proven.set(sid, blob, text)
    return text
  }

  return {
    async read(sid) {
      const blob = await commands.get(sid)
      if (blob === null) return undefined
      return parseJsonObject(proven.get(sid, blob) ?? (await prove(sid, blob)) ?? '')
    },
    async write(sid, text, ttlSeconds) {
      const [secret = ''] = await secrets()
      await commands.set(sid, `${text.slice(0, -1)},"ppoppo:code":"${codeOf(secret, sid, text)}"}`, ttlSeconds)
    },
    async end(sid) {
      proven.delete(sid)
      await commands.destroy(sid)
    },
  }
}

function codeOf(secret: string, sid: string, value: string): string {
  const text = Buffer.concat(['session blob', sid, value].map(lengthPrefixed))
  return createHmac('sha256', secret).update(text).digest('base64url')
}

function isSame(one: string, other: string): boolean {
  return one.length === other.length && timingSafeEqual(Buffer.from(one), Buffer.from(other))
}
