import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { type Cluster, Redis } from 'ioredis'
import { isPpoppoError } from '../../../src/errors.js'
import { createRedisStore, type RedisStoreParts } from '../../../src/store/redis/redis-store.js'
import type { Store } from '../../../src/store/store.js'
import { describeStore, word } from '../../contract/store.js'
import { twoOnRedis, type UnderTest } from '../../contract/under-test.js'
import { ownTimeOf } from '../../support/own-time.js'
import { describeWithOwnRedis } from '../../support/redis.js'
import {
  connectCluster,
  failOverSoon,
  type RedisGroup,
  startCluster,
  startSentinel,
} from '../../support/redis-topologies.js'
import { untilWorks } from '../../support/until.js'

const HOUR_MS = 3_600_000
const CALL_LIMIT_MS = 1500
const MASTER = 'ppoppo-test'

/** Two stores on the same prefix, each on its own duplicate of `redis`. */
function twoStores(redis: RedisStoreParts['redis']): UnderTest<Store> {
  const prefix = `test:${word()}:`
  return twoOnRedis(() => createRedisStore({ redis, prefix }))
}

/** Goes on calling while `fault` happens; each call is answered in time, until one works again. */
async function survive(store: Store, isBack: () => Promise<boolean>): Promise<void> {
  // `until` takes what is thrown for "not yet".
  const tooLong: number[] = []
  await untilWorks(async () => {
    const tookMs = await ownTimeOf(() =>
      store.sessions.set(word(), '{}', 60).catch((error: unknown) => {
        if (!isPpoppoError(error, 'store_unavailable')) throw error
      }),
    )
    if (tookMs >= CALL_LIMIT_MS) tooLong.push(tookMs)
    return isBack()
  })
  expect(tooLong).toEqual([])
}

describeWithOwnRedis('C39 Redis Cluster', () => {
  let group: RedisGroup
  let cluster: Cluster
  beforeAll(async () => {
    group = await startCluster({ withReplica: true })
    cluster = await connectCluster(group)
  })
  afterAll(async () => {
    cluster.disconnect()
    await group.stop()
  })

  describeStore('cluster', async () => twoStores(cluster))

  test('closing the store leaves the client that was passed in open', async () => {
    const { store, close } = twoStores(cluster)
    await store.now()
    await close()
    expect(await cluster.ping()).toBe('PONG')
  })

  test('keys of many users lie on all three masters, those of one user together', async () => {
    const { store, close } = twoStores(cluster)
    const now = await store.now()
    const ids = Array.from({ length: 30 }, (_, i) => `user${i}.${word()}`)
    for (const id of ids) expect(await store.createSignIn(id, 'v', now + HOUR_MS, now)).toBe(true)
    const counts = await Promise.all(cluster.nodes('master').map((node) => node.dbsize()))
    for (const count of counts) expect(count).toBeGreaterThan(0)
    const found: string[] = []
    for await (const id of store.scanSignIns()) found.push(id)
    expect(found.sort()).toEqual(ids.sort())
    await close()
  })

  test('C37 a master is killed: its replica takes over, every call is answered in time, and all calls work again', async () => {
    const { store, close } = twoStores(cluster)
    const [master, , , replica] = group.servers
    const now = await store.now()
    const ids = Array.from({ length: 12 }, (_, i) => `user${i}.${word()}`)
    for (const id of ids) await store.createSignIn(id, 'v', now + HOUR_MS, now)
    const look = new Redis(replica?.port ?? 0, '127.0.0.1')
    await failOverSoon(group)
    await master?.kill()
    await survive(store, async () => (await look.info('replication')).includes('role:master'))
    look.disconnect()
    const tookMs = await ownTimeOf(() =>
      untilWorks(async () => (await Promise.all(ids.map((id) => store.readSignIn(id)))).every(Boolean)),
    )
    expect(tookMs).toBeLessThan(2000)
    for (const id of ids) expect(await store.writeSignIn(id, 1, 'w', now + HOUR_MS)).toBe('written')
    await close()
  })
})

describeWithOwnRedis('C39 Redis Sentinel', () => {
  let group: RedisGroup
  let redis: Redis
  beforeAll(async () => {
    group = await startSentinel(MASTER)
    redis = new Redis({ sentinels: group.ports.map((port) => ({ host: '127.0.0.1', port })), name: MASTER })
    redis.on('error', () => {})
    await untilWorks(async () => redis.status === 'ready')
  })
  afterAll(async () => {
    redis.disconnect()
    await group.stop()
  })

  describeStore('sentinel', async () => twoStores(redis))

  test('C37 after a failover by hand the store uses the new master', async () => {
    const { store, close } = twoStores(redis)
    const [, replica, sentinel] = group.servers
    const now = await store.now()
    await store.createSignIn('t.1', 'v', now + HOUR_MS, now)
    const look = new Redis(replica?.port ?? 0, '127.0.0.1')
    await untilWorks(async () => (await look.keys('*signin:{t}:1')).length === 1) // replicated
    const ask = new Redis(sentinel?.port ?? 0, '127.0.0.1')
    await untilWorks(async () => (await ask.call('SENTINEL', 'FAILOVER', MASTER)) === 'OK')
    await survive(store, async () => (await look.info('replication')).includes('role:master'))
    const tookMs = await ownTimeOf(() =>
      untilWorks(async () => (await store.writeSignIn('t.1', 1, 'w', now + HOUR_MS)) === 'written'),
    )
    expect(tookMs).toBeLessThan(5000) // Sentinel itself turns the old master around in this time
    expect(await look.exists(...(await look.keys('*signin:{t}:1')))).toBe(1)
    ask.disconnect()
    look.disconnect()
    await close()
  })

  test('C37 the master is killed: every call is answered in time, and calls work with the next master', async () => {
    const { store, close } = twoStores(redis)
    const ask = new Redis(group.ports[0] ?? 0, '127.0.0.1')
    const current = async (): Promise<string> => String(await ask.call('SENTINEL', 'GET-MASTER-ADDR-BY-NAME', MASTER))
    await untilWorks(async () =>
      String(await ask.call('SENTINEL', 'REPLICAS', MASTER)).includes('master-link-status,ok'),
    )
    await failOverSoon(group, MASTER)
    const before = await current()
    await store.sessions.set('s', '{}', 60)
    await group.servers.find(({ port }) => before.endsWith(`,${port}`))?.kill()
    await survive(store, async () => (await current()) !== before)
    expect(await ownTimeOf(() => untilWorks(async () => store.sessions.set('s', '{}', 60)))).toBeLessThan(2000)
    ask.disconnect()
    await close()
  })
})
