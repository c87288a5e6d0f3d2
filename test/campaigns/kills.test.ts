import { afterEach, beforeEach, expect, jest, test } from '@jest/globals'
import { Redis } from 'ioredis'
import type { Campaign, CampaignProgress } from '../../src/campaigns/types.js'
import { describeWithOwnRedis, type RedisServer, startRedis } from '../support/redis.js'
import { connectCluster, type RedisGroup, startCluster } from '../support/redis-topologies.js'
import { elapse, until, untilWorks } from '../support/until.js'
import { startWorkerProcess, type WorkerProcess } from './support/worker-process.js'
import { type CampaignWorld, people, ppnumOf, startCampaignWorld, TEMPLATE_ID, VAULT_KEY } from './support/world.js'

/** `npm run test:campaigns` runs this at full size. */
const isFull = process.env['CAMPAIGNS_AT_FULL_SIZE'] === '1'
const SIZE = isFull
  ? { people: 1_000_000, kills: 200, outageMs: 30_000, perMinute: 45 }
  : { people: 100_000, kills: 6, outageMs: 8_000, perMinute: 120 }
const CONCURRENCY = 2
const LIMIT_MS = isFull ? 3_600_000 : 240_000

jest.setTimeout(LIMIT_MS)

describeWithOwnRedis('campaigns with workers in processes of their own', () => {
  let workers: WorkerProcess[]
  beforeEach(() => {
    workers = []
  })
  afterEach(async () => {
    for (const worker of workers) await worker.kill()
  })

  const start = async (world: CampaignWorld, redis: object): Promise<WorkerProcess> => {
    const { apiUrl, tokenUrl, clientId, clientSecret } = world.pcs
    const worker = await startWorkerProcess({
      ...redis,
      messaging: { apiUrl, tokenUrl, clientId, clientSecret },
      vaultKeys: [VAULT_KEY],
      perMinute: SIZE.perMinute,
      keyPrefix: world.prefix,
      concurrency: CONCURRENCY,
    })
    workers.push(worker)
    return worker
  }
  const untilEnded = (campaign: Campaign): Promise<CampaignProgress> =>
    untilWorks(
      async () => {
        const progress = await campaign.show()
        return progress.state === 'finished' ? progress : undefined
      },
      'the campaign is finished',
      LIMIT_MS,
    )

  async function assertAllOrUnknown(world: CampaignWorld, campaign: Campaign, count: number): Promise<number> {
    const doubtful = new Set<string>()
    let chunks = 0
    for await (const { recipients } of campaign.unknown()) {
      chunks += 1
      for (const { ppnum } of recipients) doubtful.add(ppnum)
    }
    const missed = Array.from({ length: count }, (_, i) => ppnumOf(i)).filter(
      (ppnum) => !world.pcs.counts.has(ppnum) && !doubtful.has(ppnum),
    )
    expect(missed).toEqual([])
    expect(world.pcs.twice()).toBe(0)
    return chunks
  }

  test('workers that are killed while they work, and a Redis that is away: nobody is written to twice', async () => {
    const server: RedisServer = await startRedis({ args: ['--maxmemory-policy', 'noeviction'] })
    const world = await startCampaignWorld(server.url, 'kills:')
    world.pcs.takesMs = 300
    const client = new Redis(server.url)
    try {
      const before = await usedMemory(client)
      const campaigns = world.open()
      const campaign = await campaigns.create({
        id: 'autumn',
        templateId: TEMPLATE_ID,
        recipients: people(SIZE.people),
      })
      const peak = (await usedMemory(client)) - before
      for (let i = 0; i < 3; i++) await start(world, { redis: server.url })
      let kills = 0
      const outages = [0.3, 0.6].map((part) => Math.ceil(part * SIZE.kills))
      while (kills < SIZE.kills) {
        const calls = world.pcs.calls.length
        const isOver = async () => (await campaign.show().catch(() => undefined))?.state === 'finished'
        await until(async () => world.pcs.calls.length > calls || (await isOver()), 'workers work', 60_000)
        if (await isOver()) break // a machine that is slow to start processes
        await elapse(Math.random() * 300)
        await workers.splice(Math.floor(Math.random() * workers.length), 1)[0]?.kill()
        kills += 1
        if (outages.includes(kills)) {
          server.pause()
          await elapse(SIZE.outageMs)
          server.resume()
          const back = Date.now()
          const sent = world.pcs.calls.length
          await until(async () => world.pcs.calls.length > sent || (await isOver()), 'it goes on by itself', 30_000)
          console.log(`after ${SIZE.outageMs} ms without Redis it went on within ${Date.now() - back} ms`)
        }
        await start(world, { redis: server.url })
      }
      expect(kills).toBeGreaterThan(1)
      const progress = await untilEnded(campaign)
      const unknown = await assertAllOrUnknown(world, campaign, SIZE.people)
      expect(unknown).toBeLessThanOrEqual(kills * CONCURRENCY)
      expect(progress.accepted + progress.unknown).toBe(SIZE.people)
      expect(mostInAMinute(world.pcs.calls)).toBeLessThanOrEqual(SIZE.perMinute)
      console.log(
        `${SIZE.people} people, ${kills} kills: ${progress.accepted} accepted, ${unknown} chunks unknown, ${world.pcs.twice()} twice, ` +
          `at most ${mostInAMinute(world.pcs.calls)} calls in a minute of ${SIZE.perMinute}; Redis ${Math.round(peak / 1024)} KB at its peak, ` +
          `${Math.round(((await usedMemory(client)) - before) / 1024)} KB afterwards`,
      )
      expect(peak).toBeLessThan(SIZE.people * 40)
    } finally {
      client.disconnect()
      await world.close()
      await server.stop()
    }
  })

  test('a Cluster of three masters', async () => {
    const group: RedisGroup = await startCluster()
    const cluster = await connectCluster(group)
    const world = await startCampaignWorld(cluster, 'cluster:')
    try {
      const campaign = await world.open().create({ id: 'autumn', templateId: TEMPLATE_ID, recipients: people(10_000) })
      for (let i = 0; i < 2; i++) await start(world, { cluster: group.ports })
      expect(await untilEnded(campaign)).toMatchObject({ accepted: 10_000, unknown: 0 })
      expect(await assertAllOrUnknown(world, campaign, 10_000)).toBe(0)
    } finally {
      await world.close()
      cluster.disconnect()
      await group.stop()
    }
  })
})

async function usedMemory(client: Redis): Promise<number> {
  return Number(/used_memory:(\d+)/.exec(await client.info('memory'))?.[1])
}

/** The most calls in any 60 seconds. */
function mostInAMinute(calls: readonly number[]): number {
  let [first, most] = [0, 0]
  for (const [last, at] of calls.entries()) {
    while (at - (calls[first] ?? at) >= 60_000) first += 1
    most = Math.max(most, last - first + 1)
  }
  return most
}
