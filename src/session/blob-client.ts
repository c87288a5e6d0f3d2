import { createHmac, timingSafeEqual } from 'node:crypto'
import { lengthPrefixed } from '../lib/digest.js'
import type { SessionCommands } from '../store/store.js'

/** What connect-redis uses of an ioredis client. */
export interface BlobClient {
  get(sid: string): Promise<string | null>
  set(sid: string, value: string, ex: 'EX', ttlSeconds: number): Promise<boolean>
  del(sids: readonly string[]): Promise<void>
}

/** The last member of a stored blob, which stays JSON for whoever looks into the store. */
const CODE = /^(.*),"ppoppo:code":"([\w-]{43})"\}$/s

/**
 * The store's session commands as connect-redis calls them. A blob carries a code over itself and its session id, so who
 * can only write to the store puts nobody's sign-in into a session of their own. The secrets are those that sign the
 * cookie: cookie and blob are renewed together, so they rotate together.
 */
export function createBlobClient(commands: SessionCommands, secrets: () => Promise<readonly string[]>): BlobClient {
  return {
    async get(sid) {
      const [, start = '', code = ''] = CODE.exec((await commands.get(sid)) ?? '') ?? []
      const value = `${start}}`
      const isOurs = (await secrets()).some((secret) => isSame(code, codeOf(secret, sid, value)))
      return isOurs ? value : null
    },
    async set(sid, value, _ex, ttlSeconds) {
      const [secret = ''] = await secrets()
      // connect-redis writes an object, and never an empty one: the cookie is in it.
      return commands.set(sid, `${value.slice(0, -1)},"ppoppo:code":"${codeOf(secret, sid, value)}"}`, ttlSeconds)
    },
    async del(sids) {
      await Promise.all(sids.map((sid) => commands.destroy(sid)))
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
