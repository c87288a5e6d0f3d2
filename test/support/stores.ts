import { beforeAll, describe } from '@jest/globals'
import type { PpoppoOptions } from '../../src/index.js'
import { describeWithRedis, redisForTests, type TestRedis } from './redis.js'

/** Where the library keeps things in a test that runs once for each kind of store. */
export interface TestStorage {
  readonly kind: 'memory' | 'redis'
  /** Options for one instance; two calls never meet in the store. */
  options(): PpoppoOptions
  /** Everything that is stored under `options`, by key; always empty for the memory store. */
  contents(options: PpoppoOptions): Promise<Readonly<Record<string, string>>>
}

/** Runs the same tests on the memory store and on a real Redis. */
export function describeOnStores(name: string, body: (storage: TestStorage) => void): void {
  describe(`${name} (memory)`, () => body({ kind: 'memory', options: () => ({}), contents: async () => ({}) }))
  describeWithRedis(`${name} (redis)`, () => {
    let redis: TestRedis
    beforeAll(async () => {
      redis = await redisForTests()
    })
    body({
      kind: 'redis',
      options: () => ({ redis: redis.url, keyPrefix: redis.prefix() }),
      async contents({ keyPrefix = '' }) {
        const keys = await redis.client.keys(`${keyPrefix}*`)
        const values = await Promise.all(
          keys.sort().map(async (key) => [key, (await redis.client.dump(key)) ?? ''] as const),
        )
        return Object.fromEntries(values)
      },
    })
  })
}
