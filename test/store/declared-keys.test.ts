import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { Redis } from 'ioredis'
import { createRedisConsumerStore } from '../../src/store/redis/consumer/consumer-store.js'
import { CONSUMER_SCRIPTS } from '../../src/store/redis/consumer/scripts.js'
import { createRedisStore } from '../../src/store/redis/redis-store.js'
import { REDIS_SCRIPTS } from '../../src/store/redis/scripts.js'
import { describeConsumerStore } from '../contract/consumer-store.js'
import { describeStore } from '../contract/store.js'
import { twoOnRedis } from '../contract/under-test.js'
import { describeWithOwnRedis, type RedisServer, startRedis } from '../support/redis.js'
import { type ScriptWatch, sha1, watchScripts } from '../support/script-keys.js'

describeWithOwnRedis('X12 servers that run a script only with all its keys named', () => {
  let server: RedisServer
  let watch: ScriptWatch
  let stores = 0
  beforeAll(async () => {
    server = await startRedis()
    watch = await watchScripts(server.url)
  })
  afterAll(async () => {
    watch.close()
    await server.stop()
  })

  describeStore('watched', async () => {
    const prefix = `p${stores++}:`
    return twoOnRedis(() => createRedisStore({ redis: server.url, prefix }))
  })
  describeConsumerStore('watched', async () => {
    const prefix = `p${stores++}:`
    return twoOnRedis(() => createRedisConsumerStore({ redis: server.url, prefix }))
  })

  // Jest runs it after the contracts, which call every script in every way they can.
  describe('afterwards', () => {
    test('after the contract every script was called, and none touched a key outside of its KEYS', async () => {
      const ours = Object.entries({ ...REDIS_SCRIPTS, ...CONSUMER_SCRIPTS })
      const called = await watch.scripts()
      const missed = ours.filter(([, { lua }]) => !called.has(sha1(lua)))
      expect(missed.map(([name]) => name)).toEqual([])
      expect(await watch.undeclared()).toEqual([])
    })

    test('a script that touches a key outside of its KEYS would be found', async () => {
      const client = new Redis(server.url)
      await client.eval("return redis.call('GET', KEYS[1] .. ARGV[1])", 1, 'a', 'b')
      client.disconnect()
      expect(await watch.undeclared()).toEqual(['GET ab (KEYS: a)'])
    })
  })
})
