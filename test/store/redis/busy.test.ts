import { afterEach, expect, test } from '@jest/globals'
import { Countdown } from '../../../src/store/redis/countdown.js'
import { createRedisStore } from '../../../src/store/redis/redis-store.js'
import { describeWithRedis, redisForTests } from '../../support/redis.js'

let blocking: NodeJS.Timeout | undefined
afterEach(() => clearInterval(blocking))

/** As where a process gets no processor: it has one turn of its event loop in so many milliseconds. */
function block(ms: number): void {
  const wait = (): void => void Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms)
  blocking = setInterval(wait, 1)
}

describeWithRedis('a process that seldom gets its turn', () => {
  test('connects and calls within its own second, although that takes longer', async () => {
    const redis = await redisForTests()
    const store = createRedisStore({ redis: redis.url, prefix: redis.prefix() })
    try {
      const beganAt = performance.now()
      block(500)
      await store.sessions.set('s', '{}', 60)
      expect(performance.now() - beganAt).toBeGreaterThan(1_000)
    } finally {
      clearInterval(blocking)
      await store.close()
    }
  })
})

const timeOf = (ms: number): Promise<number> => {
  const beganAt = performance.now()
  return new Promise((resolve) => void new Countdown(ms, () => resolve(performance.now() - beganAt)))
}

test('a countdown of a process that has its turns ends in time', async () => {
  expect(await timeOf(250)).toBeGreaterThanOrEqual(249)
})

test('a countdown takes three times as long at most', async () => {
  block(400)
  const tookMs = await timeOf(1_000)
  expect(tookMs).toBeGreaterThan(2_900)
})

test('what is left of a countdown is known within a step, too, and none is left at its end', async () => {
  const time = await new Promise<Countdown>((resolve) => {
    const one: Countdown = new Countdown(150, () => resolve(one))
    const { leftMs } = one
    expect(leftMs).toBeLessThanOrEqual(150)
    expect(leftMs).toBeGreaterThan(50)
  })
  expect(time.leftMs).toBe(0)
})
