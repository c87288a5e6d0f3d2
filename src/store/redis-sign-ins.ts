import type { RedisClock } from './redis-clock.js'
import type { RedisConnection } from './redis-connection.js'
import type { RedisKeys } from './redis-keys.js'
import type { ScriptName } from './redis-scripts.js'
import { MAX_SIGN_INS_PER_USER, type Store, tagOf, type VersionedRecord, type WriteResult } from './store.js'

type SignInMethods = Pick<
  Store,
  'createSignIn' | 'readSignIn' | 'writeSignIn' | 'deleteSignIn' | 'listSignIns' | 'deleteAllSignIns' | 'scanSignIns'
>

const SCAN_COUNT = 500

/** The vault's records in Redis. */
export function createRedisSignIns(
  connection: RedisConnection<ScriptName>,
  keys: RedisKeys,
  { runInTime }: RedisClock<ScriptName>,
  now: () => Promise<number>,
): SignInMethods {
  const { run } = connection
  return {
    async createSignIn(id, value, expiresAt, attemptStartedAt): Promise<boolean> {
      const record = keys.signIn(id)
      const tag = tagOf(id)
      const reply = await runInTime('createSignIn', record, (client, notAfter) =>
        client.ppoppoCreate(
          ...[record, keys.index(tag), keys.notBefore(tag)],
          ...[keys.memberOf(id), value, Math.floor(expiresAt), attemptStartedAt, notAfter],
          ...[keys.signInsOf(tag), MAX_SIGN_INS_PER_USER],
        ),
      )
      return reply === 1
    },
    async readSignIn(id): Promise<VersionedRecord | undefined> {
      return toRecord(await run('readSignIn', (client) => client.get(keys.signIn(id))))
    },
    async writeSignIn(id, expectedVersion, value, expiresAt): Promise<WriteResult> {
      const reply = await run('writeSignIn', (client) =>
        client.ppoppoWrite(
          ...[keys.signIn(id), keys.index(tagOf(id))],
          ...[keys.memberOf(id), expectedVersion, value, Math.floor(expiresAt)],
        ),
      )
      return reply === 'written' || reply === 'conflict' ? reply : 'gone'
    },
    async deleteSignIn(id, expectedVersion): Promise<VersionedRecord | undefined> {
      const reply = await run('deleteSignIn', (client) =>
        client.ppoppoDelete(keys.signIn(id), keys.index(tagOf(id)), keys.memberOf(id), expectedVersion ?? ''),
      )
      return toRecord(reply)
    },
    async listSignIns(tag): Promise<readonly (VersionedRecord & { readonly id: string })[]> {
      return toRecords(
        tag,
        await run('listSignIns', (client) => client.ppoppoList(keys.index(tag), keys.signInsOf(tag))),
      )
    },
    async deleteAllSignIns(tag, notBeforeTtlMs): Promise<readonly (VersionedRecord & { readonly id: string })[]> {
      // By the clock that attempts begin by: on a Cluster the user's own node may have another.
      const notBefore = await now()
      const reply = await run('deleteAllSignIns', (client) =>
        client.ppoppoDeleteAll(keys.index(tag), keys.notBefore(tag), keys.signInsOf(tag), notBeforeTtlMs, notBefore),
      )
      return toRecords(tag, reply)
    },
    async *scanSignIns(): AsyncIterable<string> {
      await run('scanSignIns', (client) => client.ping()) // a Cluster knows its masters once it is connected
      for (const master of connection.masters()) {
        let cursor = '0'
        do {
          const [next, found] = await run('scanSignIns', () =>
            master.scan(cursor, 'MATCH', keys.signInPattern, 'COUNT', SCAN_COUNT),
          )
          for (const key of found) yield keys.toSignInId(key)
          cursor = next
        } while (cursor !== '0')
      }
    },
  }
}

/** A record as it lies in Redis: `<version>|<value>`. */
function toRecord(text: unknown): VersionedRecord | undefined {
  if (typeof text !== 'string') return undefined
  const bar = text.indexOf('|')
  return { version: Number(text.slice(0, bar)), value: text.slice(bar + 1) }
}

/** A script's `member, record, member, record, ...`. */
function toRecords(tag: string, reply: unknown): (VersionedRecord & { readonly id: string })[] {
  const texts: readonly unknown[] = Array.isArray(reply) ? reply : []
  const records: (VersionedRecord & { readonly id: string })[] = []
  for (let i = 0; i < texts.length; i += 2) {
    const record = toRecord(texts[i + 1])
    if (record !== undefined) records.push({ id: `${tag}.${String(texts[i])}`, ...record })
  }
  return records
}
