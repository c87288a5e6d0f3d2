import { afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals'
import { ChunkRunner } from '../../src/campaigns/chunk-run.js'
import { systemMessagingRuntime } from '../../src/messaging/lib/runtime.js'
import type { CampaignLedger } from '../../src/store/campaign-ledger.js'
import { createRedisCampaignLedger } from '../../src/store/redis/campaigns/ledger.js'
import { describeWithRedis, redisForTests, type TestRedis } from '../support/redis.js'

const SIZES = { size: 10, filtered: 0 }
const MINUTE_MS = 60_000
/** A call that nobody answers counts as arrived after this time. */
const ARRIVES_MS = 2_500

describeWithRedis('the pace of campaigns', () => {
  let redis: TestRedis
  let ledger: CampaignLedger
  let prefix: string
  beforeAll(async () => {
    redis = await redisForTests()
  })
  beforeEach(async () => {
    prefix = redis.prefix()
    ledger = createRedisCampaignLedger({ redis: redis.url, prefix })
    await ledger.open('c')
    const chunks = Array.from({ length: 20 }, (_, i) => [i, 'sealed'] as const)
    await ledger.draft('c', 't', 200, chunks)
    await ledger.commit('c', 't', { settings: '{}', digest: 'd', total: 200, zones: Array(20).fill(0) })
    await ledger.seen('alive', 4, 1)
  })
  afterEach(() => ledger.close())

  const key = (name: string): string => `{${prefix}campaigns}:${name}`
  const chunk = (index: number, worker = 'alive') => ({ id: 'c', index, claim: `${worker}#${index}` })
  const rate = (perMinute: number) => ({ perMinute, intervalMs: MINUTE_MS / perMinute })
  const begin = async (index: number, perMinute: number) => {
    await ledger.take(chunk(index), '0', 100)
    return ledger.begin(chunk(index), '0', SIZES, rate(perMinute))
  }
  const accept = (index: number) => ledger.settle(chunk(index), { outcome: 'accepted', word: `snd_${index}`, ...SIZES })
  /** As if all calls had been made earlier, or later: the clock was set back. */
  async function shiftCalls(ms: number): Promise<void> {
    for (const claim of await redis.client.zrange(key('calls'), 0, '-1'))
      await redis.client.zincrby(key('calls'), ms, claim)
  }

  test('a call more than there may be in a minute waits until the first of them is a minute old', async () => {
    for (const index of [0, 1, 2]) {
      expect(await begin(index, 3)).toMatchObject({ answer: 'go' })
      await accept(index)
      await shiftCalls(-1_000)
    }
    const { answer, waitMs } = await begin(3, 3)
    expect(answer).toBe('wait')
    expect(waitMs).toBeGreaterThan(MINUTE_MS - 5_000)
    expect(waitMs).toBeLessThanOrEqual(MINUTE_MS - 3_000)
    await shiftCalls(-waitMs)
    expect(await ledger.begin(chunk(3), '0', SIZES, rate(3))).toMatchObject({ answer: 'go' })
    const next = await begin(4, 3)
    expect({ answer: next.answer, isSoon: next.waitMs < 5_000 }).toEqual({ answer: 'wait', isSoon: true })
    expect(await ledger.pace(rate(3), true)).toMatchObject({ may: 'wait' })
  })

  test('a call may still arrive until it is answered, for two and a half seconds at most', async () => {
    const before = Date.now()
    expect(await begin(0, 1)).toMatchObject({ answer: 'go' })
    const { waitMs } = await begin(1, 1)
    const tookMs = Date.now() - before
    expect(waitMs).toBeLessThanOrEqual(MINUTE_MS + ARRIVES_MS)
    expect(waitMs).toBeGreaterThanOrEqual(MINUTE_MS + ARRIVES_MS - tookMs - 1)
    await accept(0)
    const answered = await ledger.begin(chunk(1), '0', SIZES, rate(1))
    expect(answered.waitMs).toBeLessThanOrEqual(MINUTE_MS)
    expect(await redis.client.pttl(key('calls'))).toBeGreaterThan(MINUTE_MS)
  })

  test('after the clock was set back calls wait for a minute, not for as long as it was set back', async () => {
    await begin(0, 1)
    await shiftCalls(3_600_000)
    expect((await begin(1, 1)).waitMs).toBeLessThanOrEqual(MINUTE_MS)
  })

  test('a delay is made up for at twice the pace, but not an idle time, nor a rest', async () => {
    const [seconds] = await redis.client.time()
    const now = Number(seconds) * 1_000
    /** Between two slots in a row. */
    const distanceAfter = async (lateMs: number): Promise<number> => {
      await redis.client.hset(key('pace'), 'next', now - lateMs, 'last', now - lateMs)
      const lasts: number[] = []
      for (let i = 0; i < 2; i++) {
        expect((await ledger.pace(rate(240), true)).may).toBe('slot')
        lasts.push(Number(await redis.client.hget(key('pace'), 'last')))
      }
      return Number(lasts[1]) - Number(lasts[0])
    }
    expect(await distanceAfter(5_000)).toBeLessThan(250)
    expect(await distanceAfter(5_000)).toBeGreaterThanOrEqual(125)
    expect(await distanceAfter(11_000)).toBe(250)
    await redis.client.hset(key('pace'), 'next', now - 5_000, 'last', now - 5_000)
    await ledger.take(chunk(0), '0', 100)
    await ledger.settle(chunk(0), { outcome: 'planned', word: 'rate_limited', ...SIZES, restMs: 60_000 })
    expect(await ledger.pace(rate(240), true)).toMatchObject({ may: 'rest' })
    const [next, restUntil] = await redis.client.hmget(key('pace'), 'next', 'restUntil')
    expect(Number(restUntil)).toBeGreaterThan(now)
    expect(next).toBe(restUntil)
  })

  test('what a worker held that is silent for two seconds keeps no other from taking a chunk', async () => {
    await ledger.seen('dead', 4, 1)
    for (const index of [0, 1])
      expect(await ledger.take(chunk(index, 'dead'), '0', 2)).toMatchObject({ answer: 'held' })
    expect(await ledger.take(chunk(2), '0', 2)).toMatchObject({ answer: 'busy' })
    await redis.client.zincrby(key('workers'), -2_001, 'dead 4')
    for (const index of [2, 3]) expect(await ledger.take(chunk(index), '0', 2)).toMatchObject({ answer: 'held' })
    expect(await ledger.take(chunk(4), '0', 2)).toMatchObject({ answer: 'busy' })
  })

  test('a call that comes a little too early keeps its slot', async () => {
    await begin(0, 1)
    await accept(0)
    await shiftCalls(-59_700)
    let slots = 0
    let sent = 0
    const runner = new ChunkRunner({
      ledger: {
        ...ledger,
        async pace(pace, isTaking) {
          const found = await ledger.pace(pace, isTaking)
          // As if the timer of this slot fired too early.
          if (isTaking && slots++ === 0) await shiftCalls(200)
          return found
        },
      },
      seal: { chunk: async () => 'sealed', openChunk: async () => [{ ppnum: '12312345678' }] },
      messaging: {
        health: async () => ({}) as never,
        send: async () => ({ id: `snd_${++sent}` }) as never,
      },
      settingsOf: async () => ({ templateId: 't', zones: [''] }),
      filters: {},
      rate: rate(1),
      workerId: 'alive',
      closing: AbortSignal.timeout(8_000),
      cutOff: AbortSignal.timeout(8_000),
      onClosed: () => {},
      runtime: systemMessagingRuntime,
    })
    await runner.run({ campaignId: 'c', index: 1 })
    expect({ slots, sent }).toEqual({ slots: 1, sent: 1 })
  })
})
