import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import * as newest from 'ioredis'
import * as newest5 from 'ioredis5'
import * as oldest5 from 'ioredis5-oldest'
import type { RedisSource } from '../../../src/store/redis/client.js'
import { createRedisConsumerStore } from '../../../src/store/redis/consumer/consumer-store.js'
import { createRedisStore } from '../../../src/store/redis/redis-store.js'
import { acquire } from '../../contract/consumer-store.js'
import { putAttempt } from '../../support/put-attempt.js'
import { describeWithOwnRedis } from '../../support/redis.js'
import { accessOptions, type RedisGroup, startCluster, startSentinel } from '../../support/redis-topologies.js'
import { untilWorks } from '../../support/until.js'

const HOUR_MS = 3_600_000
const PASSWORD = 'pass word/+&=%'
const MASTER = 'ppoppo-test'

/** What the app brings: the oldest and the newest of each major (of 6 there is one). */
const VERSIONS = [
  { name: '5.4.1', Cluster: oldest5.Cluster, behindSentinel: (to: Sentinels): object => new oldest5.Redis(to) },
  { name: '5', Cluster: newest5.Cluster, behindSentinel: (to: Sentinels): object => new newest5.Redis(to) },
  { name: '6', Cluster: newest.Cluster, behindSentinel: (to: Sentinels): object => new newest.Redis(to) },
]

interface Sentinels {
  readonly sentinels: { host: string; port: number }[]
  readonly name: string
  readonly password: string
  readonly sentinelPassword: string
  readonly lazyConnect: true
}

/** One of everything the stores do. */
async function expectUsable(client: object): Promise<void> {
  const redis = client as RedisSource // of another version than the one our types come from
  const prefix = 'test:'
  const store = createRedisStore({ redis, prefix })
  const consumers = createRedisConsumerStore({ redis, prefix })
  try {
    await untilWorks(async () => (await store.now()) > 0)
    const now = await store.now()
    await putAttempt(store, 'k', 'v', HOUR_MS)
    expect(await store.takeTransaction('k', HOUR_MS)).toMatchObject({ value: 'v' })
    for (const tag of ['a', 'b', 'c', 'd'])
      expect(await store.createSignIn(`${tag}.1`, 'v', now + HOUR_MS, now)).toBe(true)
    expect(await store.writeSignIn('a.1', 1, 'w', now + HOUR_MS)).toBe('written')
    const found: string[] = []
    for await (const id of store.scanSignIns()) found.push(id)
    expect(found.sort()).toEqual(['a.1', 'b.1', 'c.1', 'd.1'])
    for (const tag of ['a', 'b', 'c', 'd']) expect(await store.deleteAllSignIns(tag, 1)).toHaveLength(1)
    expect(await store.sessions.set('s', '{}', 60)).toBe(true)
    await untilWorks(async () => (await consumers.letters.count('n')) === 0)
    const { fence } = await acquire(consumers, 'n')
    const queue = { entries: ['e'], maxLength: 9 }
    expect(await consumers.commit('n', { fence, sequence: 1, checkpoint: 'c', queue })).toBe('committed')
    const [entry] = await consumers.queue.take('n', 'w', { count: 1, claimAfterMs: HOUR_MS, waitMs: 0 })
    expect(await consumers.queue.finish('n', entry?.id ?? '')).toBe('finished')
    await consumers.release('n', 'h')
  } finally {
    await consumers.close()
    await store.close()
  }
}

describeWithOwnRedis("C39 the store reaches Redis as the app's own client does", () => {
  describe('Cluster with a password', () => {
    let group: RedisGroup
    beforeAll(async () => {
      group = await startCluster({ password: PASSWORD })
    })
    afterAll(() => group.stop())

    test.each(VERSIONS)('with ioredis $name', async ({ Cluster }) => {
      const nodes = group.ports.map((port) => ({ host: '127.0.0.1', port }))
      const client = new Cluster(nodes, { redisOptions: { password: PASSWORD }, lazyConnect: true })
      await expectUsable(client)
      client.disconnect()
    })
  })

  describe('Cluster by TLS, with user and password', () => {
    let group: RedisGroup
    beforeAll(async () => {
      group = await startCluster({ password: PASSWORD, tls: true })
    })
    afterAll(() => group.stop())

    test.each(VERSIONS)('with ioredis $name', async ({ Cluster }) => {
      const nodes = group.ports.map((port) => ({ host: '127.0.0.1', port }))
      const redisOptions = { ...accessOptions({ password: PASSWORD, tls: true }), username: 'default' }
      const client = new Cluster(nodes, { redisOptions, lazyConnect: true })
      await expectUsable(client)
      client.disconnect()
    })
  })

  describe('Sentinel with passwords', () => {
    let group: RedisGroup
    beforeAll(async () => {
      group = await startSentinel(MASTER, { password: PASSWORD })
    })
    afterAll(() => group.stop())

    test.each(VERSIONS)('with ioredis $name', async ({ behindSentinel }) => {
      const client = behindSentinel({
        sentinels: group.ports.map((port) => ({ host: '127.0.0.1', port })),
        name: MASTER,
        password: PASSWORD,
        sentinelPassword: PASSWORD,
        lazyConnect: true,
      })
      await expectUsable(client)
    })
  })
})
