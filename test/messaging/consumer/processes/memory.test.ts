import { beforeAll, expect, jest, test } from '@jest/globals'
import { describeWithRedis, redisForTests, type TestRedis } from '../../../support/redis.js'
import { elapse } from '../../../support/until.js'
import type { Report } from './support/consumer-process.js'
import { startConsumerWorld } from './support/world.js'

/** `TEST_MEMORY_EVENTS=2000000` for a longer look. */
const EVENTS = Number(process.env['TEST_MEMORY_EVENTS'] ?? 200_000)
/** By then all that a consumer keeps for ever is there: code, connections, and the last 10,000 ids. */
const WARM = EVENTS / 2
/** Node gives memory back when it likes; an event that is kept costs half a kilobyte at least, 50 MB by the end. */
const MAX_GROWTH = 32e6

jest.setTimeout(300_000 + 2 * EVENTS)

describeWithRedis('consume() over many events', () => {
  let redis: TestRedis
  beforeAll(async () => {
    redis = await redisForTests()
  })

  test('handles each event once, and its memory does not grow', async () => {
    const world = await startConsumerWorld({
      redis: redis.url,
      keyPrefix: redis.prefix(),
      sends: 500,
      consume: { name: 'memory' },
      handling: { isSilent: true, everyNth: 100, leastMs: 5, mostMs: 5 },
    })
    try {
      world.pcs.append(EVENTS)
      const consumer = world.start()
      await consumer.untilTold('connected')
      const reports: Report[] = []
      let last = await consumer.report()
      const end = Date.now() + 30_000 + EVENTS
      while (last.begun < EVENTS && Date.now() < end) {
        await elapse(100)
        last = await consumer.report()
        reports.push(last)
      }
      const { code } = await consumer.end()
      expect([code, consumer.errors()]).toEqual([0, ''])
      expect([last.begun, last.seen]).toEqual([EVENTS, EVENTS])
      const [warming, warm] = [
        reports.filter(({ begun }) => begun < WARM),
        reports.filter(({ begun }) => begun >= WARM),
      ]
      const most = (list: readonly Report[]): number => Math.max(...list.map(({ rss }) => rss))
      expect(most(warm) - most(warming)).toBeLessThan(MAX_GROWTH)
    } finally {
      await world.close()
    }
  })
})
