import { afterEach, beforeEach, expect, test } from '@jest/globals'
import { Redis } from 'ioredis'
import type { RedisSource } from '../../../src/store/redis/client.js'
import { connectRedis } from '../../../src/store/redis/connection.js'
import {
  evictionWarning,
  persistenceWarning,
  type RedisPolicy,
  readRedisPolicy,
} from '../../../src/store/redis/policy.js'
import { describeWithOwnRedis, type RedisServer, startRedis } from '../../support/redis.js'
import { connectCluster, startCluster } from '../../support/redis-topologies.js'
import { untilWorks } from '../../support/until.js'

/** Asks until Redis was there to answer: the first connection of a busy machine may take longer than a call. */
async function policyOf(redis: RedisSource): Promise<RedisPolicy> {
  const connection = connectRedis<never>({ redis, scripts: {} })
  await untilWorks(async () => (await connection.run('ping', (client) => client.ping())) === 'PONG')
  const policy = await readRedisPolicy(connection)
  await connection.close()
  return policy
}

describeWithOwnRedis('how Redis keeps what it is given', () => {
  let server: RedisServer
  let redis: Redis
  beforeEach(async () => {
    server = await startRedis()
    redis = new Redis(server.url)
  })
  afterEach(async () => {
    redis.disconnect()
    await server.stop()
  })

  test.each(['noeviction', 'volatile-lru', 'volatile-ttl', 'allkeys-lfu'])(
    'the maxmemory-policy %s is read from a running Redis',
    async (policy) => {
      await redis.config('SET', 'maxmemory-policy', policy)
      const known = await policyOf(server.url)
      expect(known.eviction).toBe(policy)
      const warning = evictionWarning(known, 'sign-ins')
      if (policy === 'noeviction') expect(warning).toBeUndefined()
      else expect(warning).toMatch(new RegExp(`${policy}.*sign-ins.*noeviction`))
    },
  )

  test('persistence is read: none and snapshots are worth a warning, append-only is not', async () => {
    expect(persistenceWarning(await policyOf(server.url))).toContain('keeps nothing on its disk')
    await redis.config('SET', 'save', '3600 1')
    expect(persistenceWarning(await policyOf(server.url))).toContain('snapshots only')
    await redis.config('SET', 'appendonly', 'yes')
    await untilWorks(async () => (await policyOf(server.url)).persistence === 'append-only')
    expect(persistenceWarning({ persistence: 'append-only' })).toBeUndefined()
  })

  test('a user without CONFIG, or without INFO too, gets no warning and no error', async () => {
    await redis.config('SET', 'maxmemory-policy', 'allkeys-lru')
    const asUser = (rights: string[]): Promise<unknown> =>
      redis.call('ACL', 'SETUSER', 'poor', 'reset', 'on', '>pw', '~*', '+@all', ...rights)
    const url = server.url.replace('//', '//poor:pw@')
    await asUser(['-config'])
    expect(await policyOf(url)).toEqual({ eviction: 'allkeys-lru' })
    await asUser(['-config', '-info'])
    expect(await policyOf(url)).toEqual({})
    expect([evictionWarning({}, 'x'), persistenceWarning({})]).toEqual([undefined, undefined])
  })

  test('in a Cluster the master that keeps data least reliably counts', async () => {
    const group = await startCluster()
    const cluster = await connectCluster(group)
    const [, second] = cluster.nodes('master')
    await second?.config('SET', 'maxmemory-policy', 'volatile-lru')
    expect(await policyOf(cluster)).toEqual({ eviction: 'volatile-lru', persistence: 'none' })
    cluster.disconnect()
    await group.stop()
  })
})
