import { PpoppoError } from '../../errors.js'
import { MAX_SIGN_INS_PER_USER } from '../bounds.js'
import { type Lease, type SignInMethods, type Store, tagOf, type VersionedRecord, type WriteResult } from '../store.js'
import type { RedisClock } from './clock.js'
import type { RedisConnection } from './connection.js'
import type { RedisKeys } from './keys.js'
import type { ScriptName } from './scripts.js'

const SCAN_COUNT = 500
/** Another round is needed only if the same user signs in between two commands. */
const MAX_ROUNDS = 16
/** The form in which the scripts write it. */
const VERSION = /^([1-9]\d{0,14})\|/

/** What the sign-ins in Redis are made of. */
export interface RedisSignInsParts {
  readonly connection: RedisConnection<ScriptName>
  readonly keys: RedisKeys
  readonly clock: RedisClock<ScriptName>
  /** The clock that dates the start of attempts, see `Store.now`. */
  readonly now: () => Promise<number>
}

/** The vault's records in Redis, and their leases. */
export function createRedisSignIns({
  connection,
  keys,
  clock,
  now,
}: RedisSignInsParts): SignInMethods & Pick<Store, 'acquireLease' | 'releaseLease'> {
  const { run } = connection
  const { runInTime } = clock
  const toKey = (tag: string) => (member: string) => keys.signIn(`${tag}.${member}`)
  const membersOf = (operation: string, tag: string): Promise<readonly string[]> =>
    run(operation, (client) => client.zrange(keys.index(tag), 0, '-1'))

  return {
    async createSignIn(id, value, expiresAt, attemptStartedAt): Promise<boolean> {
      const record = keys.signIn(id)
      const tag = tagOf(id)
      return untilSettled('createSignIn', [], async (leaving) => {
        const named = [record, keys.index(tag), keys.notBefore(tag), ...leaving.map(toKey(tag))]
        const reply = await runInTime('createSignIn', record, (client, notAfter) =>
          client.ppoppoCreate(
            ...[named.length, ...named, keys.memberOf(id), value, Math.floor(expiresAt), attemptStartedAt, notAfter],
            ...[MAX_SIGN_INS_PER_USER, ...leaving],
          ),
        )
        return Array.isArray(reply) ? { changed: reply.map(String) } : { result: reply === 1 }
      })
    },
    async readSignIn(id): Promise<VersionedRecord | undefined> {
      return toRecord(await run('readSignIn', (client) => client.get(keys.signIn(id))))
    },
    async missingSignIns(ids): Promise<readonly string[]> {
      // One command for each: on a Cluster their keys are on different nodes.
      const found = await run('missingSignIns', (client) =>
        Promise.all(ids.map((id) => client.exists(keys.signIn(id)))),
      )
      return ids.filter((_id, i) => found[i] === 0)
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
    async acquireLease(id, holder, ttlMs): Promise<Lease> {
      const lease = keys.lease(id)
      const reply = await runInTime('acquireLease', lease, (client, notAfter) =>
        client.ppoppoAcquire(lease, keys.signIn(id), holder, ttlMs, notAfter),
      )
      const [isHolder, text]: readonly unknown[] = Array.isArray(reply) ? reply : []
      return { isHolder: isHolder === 1, record: toRecord(text) }
    },
    async releaseLease(id, holder): Promise<void> {
      await run('releaseLease', (client) => client.ppoppoRelease(keys.lease(id), holder))
    },
    async listSignIns(tag): Promise<readonly (VersionedRecord & { readonly id: string })[]> {
      const index = keys.index(tag)
      const members = await membersOf('listSignIns', tag)
      const texts = await run('listSignIns', (client) =>
        Promise.all(members.map((member) => client.get(toKey(tag)(member)))),
      )
      // A deleted record never comes back, so its entry can go. A read-only Redis can still list.
      const gone = members.filter((_member, i) => texts[i] === null)
      if (gone.length > 0) await run('listSignIns', (client) => client.zrem(index, ...gone)).catch(() => {})
      return toRecords(
        tag,
        members.flatMap((member, i) => [member, texts[i]]),
      )
    },
    async deleteAllSignIns(tag, notBeforeTtlMs): Promise<readonly (VersionedRecord & { readonly id: string })[]> {
      // By the clock that dates attempts: on a Cluster the clock of the user's own node may differ.
      const [notBefore, found] = await Promise.all([now(), membersOf('deleteAllSignIns', tag)])
      return untilSettled('deleteAllSignIns', found, async (members) => {
        const named = [keys.index(tag), keys.notBefore(tag), ...members.map(toKey(tag))]
        const reply = await run('deleteAllSignIns', (client) =>
          client.ppoppoDeleteAll(named.length, ...named, notBeforeTtlMs, notBefore, ...members),
        )
        const [isDone, texts]: readonly unknown[] = Array.isArray(reply) ? reply : []
        const list: readonly unknown[] = Array.isArray(texts) ? texts : []
        return isDone === 1 ? { result: toRecords(tag, list) } : { changed: list.map(String) }
      })
    },
    async *scanSignIns(): AsyncIterable<string> {
      await run('scanSignIns', (client) => client.ping()) // a Cluster knows its masters once it is connected
      for (const master of connection.masters()) {
        let cursor = '0'
        do {
          const [next, found] = await run('scanSignIns', () =>
            master.scan(cursor, 'MATCH', keys.signInPattern, 'COUNT', SCAN_COUNT),
          )
          yield* found.map(keys.toSignInId).filter((id) => id !== undefined)
          cursor = next
        } while (cursor !== '0')
      }
    },
  }
}

/** `changed`: the script did nothing, since others wrote meanwhile; call it again with these members. */
type Step<T> = { readonly result: T; readonly changed?: undefined } | { readonly changed: readonly string[] }

async function untilSettled<T>(
  operation: string,
  first: readonly string[],
  step: (members: readonly string[]) => Promise<Step<T>>,
): Promise<T> {
  let members = first
  for (let round = 0; round < MAX_ROUNDS; round += 1) {
    const outcome = await step(members)
    if (outcome.changed === undefined) return outcome.result
    members = outcome.changed
  }
  throw new PpoppoError(
    'store_unavailable',
    `The store operation "${operation}" failed. One user's sign-ins are being written too often at once; try again.`,
  )
}

/**
 * A record as stored in Redis: `<version>|<value>`. We never write another spelling of a version (`01`, `1e0`), so such
 * a text counts as a foreign value, under version 0, which no write has.
 */
function toRecord(text: unknown): VersionedRecord | undefined {
  if (typeof text !== 'string') return undefined
  const version = VERSION.exec(text)?.[1]
  return version === undefined
    ? { version: 0, value: text }
    : { version: Number(version), value: text.slice(version.length + 1) }
}

/** `member, record, member, record, ...` */
function toRecords(tag: string, texts: readonly unknown[]): (VersionedRecord & { readonly id: string })[] {
  const records: (VersionedRecord & { readonly id: string })[] = []
  for (let i = 0; i < texts.length; i += 2) {
    const record = toRecord(texts[i + 1])
    if (record !== undefined) records.push({ id: `${tag}.${String(texts[i])}`, ...record })
  }
  return records
}
