import { afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals'
import { Redis } from 'ioredis'
import { type BullmqEngine, createBullmqEngine } from '../../src/campaigns/bullmq-engine.js'
import type { Campaign, CampaignProgress } from '../../src/campaigns/types.js'
import { describeWithRedis, redisForTests, startRedis, type TestRedis } from '../support/redis.js'
import { stays, until, untilWorks } from '../support/until.js'
import { type CampaignWorld, people, startCampaignWorld, TEMPLATE_ID } from './support/world.js'

describeWithRedis('workers of campaigns', () => {
  let redis: TestRedis
  let world: CampaignWorld
  beforeAll(async () => {
    redis = await redisForTests()
  })
  beforeEach(async () => {
    world = await startCampaignWorld(redis.url, redis.prefix())
  })
  afterEach(() => world.close())

  const request = (count: number, id = 'autumn', templateId = TEMPLATE_ID) => ({
    ...{ id, templateId },
    recipients: people(count),
  })
  const untilFinished = (campaign: Campaign): Promise<CampaignProgress> =>
    untilWorks(async () => {
      const progress = await campaign.show()
      return progress.state === 'finished' ? progress : undefined
    }, 'the campaign is finished')

  test('a worker whose connection is wedged is replaced once chunks have waited for half a minute', async () => {
    let offsetMs = 0
    let started = 0
    let closed = 0
    const createEngine = (parts: Parameters<typeof createBullmqEngine>[0]): BullmqEngine => {
      const engine = createBullmqEngine(parts)
      const wedged = { close: async () => void closed++ }
      return { ...engine, work: (options) => (++started === 1 ? wedged : engine.work(options)) }
    }
    const runtime = { monotonic: () => performance.now() + offsetMs }
    const campaigns = world.open({}, runtime, { createEngine })
    const campaign = await campaigns.create(request(3_000))
    campaigns.work()
    await until(async () => (await campaigns.queue.getWaitingCount()) > 0)
    offsetMs = 25_000
    await stays(() => started === 1, 'it is patient', 1_200)
    offsetMs = 31_000
    expect(await untilFinished(campaign)).toMatchObject({ accepted: 3_000 })
    expect({ started, closed }).toEqual({ started: 2, closed: 1 })
    expect(world.pcs.twice()).toBe(0)
  })

  test('a worker that has nothing to do is not replaced', async () => {
    let offsetMs = 0
    let started = 0
    const createEngine = (parts: Parameters<typeof createBullmqEngine>[0]): BullmqEngine => {
      const engine = createBullmqEngine(parts)
      const work: BullmqEngine['work'] = (options) => {
        started += 1
        return engine.work(options)
      }
      return { ...engine, work }
    }
    const campaigns = world.open({}, { monotonic: () => performance.now() + offsetMs }, { createEngine })
    campaigns.work()
    offsetMs = 120_000
    await stays(() => started === 1, 'there is one', 1_500)
  })

  test('while Redis is full nothing is sent, and the campaign goes on once there is room', async () => {
    const server = await startRedis({ args: ['--maxmemory-policy', 'noeviction'] })
    const client = new Redis(server.url)
    const full = await startCampaignWorld(server.url, 'full:')
    try {
      const campaigns = full.open()
      const campaign = await campaigns.create(request(5_000))
      await client.config('SET', 'maxmemory', '1mb')
      campaigns.work()
      await until(() => full.warnings.some((text) => text.includes('in this process')))
      await expect(campaign.cancel()).rejects.toMatchObject({ code: 'store_unavailable' })
      await stays(() => full.pcs.calls.length === 0, 'nothing is sent', 1_000)
      await client.config('SET', 'maxmemory', '0')
      expect(await untilFinished(campaign)).toMatchObject({ accepted: 5_000, unknown: 0 })
      expect(full.pcs.twice()).toBe(0)
    } finally {
      client.disconnect()
      await full.close()
      await server.stop()
    }
  })

  test.each(['5.80.0', '6.0.7', '6.3.2', '7.0.0', '7.1.0-rc.1'])(
    'bullmq %s is refused with what to install, before anything is sent',
    (version) => {
      const make = () => createBullmqEngine({ redis: redis.url, prefix: '{x}', version })
      expect(make).toThrow(`Campaigns need bullmq 6.3.3 or newer, below 7, and found ${version}`)
      expect(make).toThrow('Run: npm install bullmq@6')
    },
  )

  test.each(['6.3.3', '6.7.0', '6.10.0', undefined])('bullmq %s is taken', async (version) => {
    await createBullmqEngine({ redis: redis.url, prefix: '{x}', version }).close()
  })

  test('during an upgrade old workers leave campaigns of the new version alone, and both send the others', async () => {
    const old = world.open({ perMinute: 3_000 })
    const upgraded = world.open({ perMinute: 3_000 }, {}, { ledgerVersion: 2 })
    const autumn = await old.create(request(15_000))
    await upgraded.create(request(2_000, 'winter', 'tpl_winter'))
    const winter = (): number => world.pcs.templates.filter((id) => id === 'tpl_winter').length
    old.work()
    await until(() => world.pcs.calls.length > 2)
    await expect(old.get('winter').show()).rejects.toThrow(
      'The campaign winter was made by a newer version of express-ppoppo. Update this process.',
    )
    await expect(old.create(request(2_000, 'winter', 'tpl_winter'))).rejects.toThrow(/newer version/)
    await expect(old.get('winter').cancel()).rejects.toThrow(/newer version/)
    const untouched = await redis.client.hgetall(`{${world.prefix}campaigns}:one:winter:meta`)
    expect(untouched).toMatchObject({ v: '2', state: 'running', total: '2000' })
    expect(untouched).not.toHaveProperty('startedAt')
    expect(winter()).toBe(0)
    upgraded.work()
    expect(await untilFinished(upgraded.get('winter'))).toMatchObject({ accepted: 2_000 })
    expect(await untilFinished(autumn)).toMatchObject({ accepted: 15_000, unknown: 0 })
    expect(winter()).toBe(2)
  })
})
