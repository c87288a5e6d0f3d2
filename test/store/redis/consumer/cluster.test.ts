import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { type Cluster, Redis } from 'ioredis'
import { isPpoppoError } from '../../../../src/errors.js'
import type { ConsumerStore } from '../../../../src/store/consumer-store.js'
import { createRedisConsumerStore } from '../../../../src/store/redis/consumer/consumer-store.js'
import { acquire, describeConsumerStore } from '../../../contract/consumer-store.js'
import { word } from '../../../contract/store.js'
import { twoOnRedis, type UnderTest } from '../../../contract/under-test.js'
import { describeWithOwnRedis } from '../../../support/redis.js'
import {
  connectCluster,
  failOverSoon,
  type RedisGroup,
  startCluster,
  untilAgreed,
} from '../../../support/redis-topologies.js'
import { untilWorks } from '../../../support/until.js'

const TTL_MS = 60_000

describeWithOwnRedis('C39 consumers on a Redis Cluster', () => {
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

  function twoStores(): UnderTest<ConsumerStore> {
    const prefix = `test:${word()}:`
    return twoOnRedis(() => createRedisConsumerStore({ redis: cluster, prefix }))
  }

  describeConsumerStore('cluster', async () => twoStores())

  test('C37 a master is killed: its replica goes on with every consumer from its position', async () => {
    const { store, close } = twoStores()
    const [master, , , replica] = group.servers
    const names = Array.from({ length: 9 }, () => word())
    const fences = new Map<string, number>()
    for (const name of names) {
      const { fence } = await acquire(store, name)
      const queue = { entries: ['e'], maxLength: 9 }
      await store.commit(name, { fence, sequence: 1, checkpoint: name, letters: [{ id: 'a', text: 't' }], queue })
      fences.set(name, fence)
    }
    const [from, to] = [master, replica].map((server) => new Redis(server?.port ?? 0, '127.0.0.1'))
    from?.on('error', () => {})
    // By what was written, not by how many keys there are: one that expires counts like one that has yet to come.
    const offset = async (of: Redis | undefined): Promise<unknown> =>
      /master_repl_offset:(\d+)/.exec((await of?.info('replication')) ?? '')?.[1]
    await untilWorks(async () => (await offset(from)) === (await offset(to)))
    await failOverSoon(group)
    await master?.kill()
    await untilWorks(async () => (await to?.info('replication'))?.includes('role:master') === true)
    // The others must have heard of it: a client that asks one that has not is sent back to the dead one.
    await untilAgreed(group.servers.filter((server) => server !== master))
    for (const name of names) {
      await untilWorks(
        async () => {
          try {
            const { fence, checkpoint } = await acquire(store, name)
            expect(fence).toBeGreaterThan(fences.get(name) ?? 0)
            expect(checkpoint).toBe(name)
            return true
          } catch (error) {
            if (isPpoppoError(error, 'store_unavailable')) return false
            throw error
          }
        },
        `${name} can be acquired`,
        5000,
      )
      const given = await store.queue.take(name, 'w', { count: 1, claimAfterMs: TTL_MS, waitMs: 0 })
      expect(given.map(({ text }) => text)).toEqual(['e'])
      expect(await store.letters.count(name)).toBe(1)
    }
    from?.disconnect()
    to?.disconnect()
    await close()
  })
})
