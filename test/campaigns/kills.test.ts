import { afterEach, beforeEach, expect, jest, test } from '@jest/globals'
import { type Cluster, Redis } from 'ioredis'
import type { Campaign, CampaignProgress } from '../../src/campaigns/types.js'
import { allowed } from '../support/allowed.js'
import { describeWithOwnRedis, type RedisServer, startRedis } from '../support/redis.js'
import { connectCluster, failOverSoon, type RedisGroup, startCluster } from '../support/redis-topologies.js'
import { elapse, until, untilWorks } from '../support/until.js'
import { startWorkerProcess, type WorkerProcess } from './support/worker-process.js'
import { type CampaignWorld, people, ppnumOf, startCampaignWorld, TEMPLATE_ID, VAULT_KEY } from './support/world.js'

const numberFrom = (variable: string, otherwise: number): number => Number(process.env[variable] || otherwise)

/** `npm run test:campaigns` runs this at full size. */
const isFull = process.env['CAMPAIGNS_AT_FULL_SIZE'] === '1'
const SIZE = isFull
  ? {
      people: numberFrom('CAMPAIGN_PEOPLE', 1_000_000),
      kills: numberFrom('CAMPAIGN_KILLS', 200),
      outageMs: 30_000,
      perMinute: 45,
      paceMs: 200_000,
      pacePerMinute: 240,
    }
  : { people: 100_000, kills: 6, outageMs: 8_000, perMinute: 120, paceMs: 0, pacePerMinute: 0 }
const CONCURRENCY = 2
const LIMIT_MS = isFull ? 3_600_000 : 600_000

jest.setTimeout(LIMIT_MS)

describeWithOwnRedis('campaigns with workers in processes of their own', () => {
  let workers: WorkerProcess[]
  beforeEach(() => {
    workers = []
  })
  afterEach(async () => {
    for (const worker of workers) await worker.kill()
  })

  const start = async (world: CampaignWorld, redis: object, perMinute = SIZE.perMinute): Promise<WorkerProcess> => {
    const { apiUrl, tokenUrl, clientId, clientSecret } = world.pcs
    const worker = await startWorkerProcess({
      ...redis,
      messaging: { apiUrl, tokenUrl, clientId, clientSecret },
      vaultKeys: [VAULT_KEY],
      perMinute,
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

  /** Says of each unknown chunk what PCS knows; what was not sent is sent then, and everybody was written to once. */
  async function settleAsCounted(world: CampaignWorld, campaign: Campaign, count: number): Promise<void> {
    for await (const { index, recipients } of campaign.unknown()) {
      const wasSent = recipients.every(({ ppnum }) => world.pcs.counts.has(ppnum))
      await campaign.settle(index, wasSent ? 'sent' : 'not-sent')
    }
    await untilWorks(async () => (await campaign.show()).accepted === count, 'all are accepted', LIMIT_MS)
    expect(world.pcs.counts.size).toBe(count)
    expect(world.pcs.twice()).toBe(0)
  }

  test('workers that are killed while they work, and a Redis that is away: everybody is written to once', async () => {
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
      const down: Down[] = []
      const resumed: number[] = []
      let readable: number | undefined
      const outages = [0.3, 0.6].map((part) => Math.ceil(part * SIZE.kills))
      while (kills < SIZE.kills) {
        const calls = world.pcs.calls.length
        const isOver = async () => (await campaign.show().catch(() => undefined))?.state === 'finished'
        await until(async () => world.pcs.calls.length > calls || (await isOver()), 'workers work')
        if (await isOver()) break // a machine that is slow to start processes
        await elapse(Math.random() * 300)
        await workers.splice(Math.floor(Math.random() * workers.length), 1)[0]?.kill()
        kills += 1
        if (outages.includes(kills)) {
          readable = await readablePpnums(client)
          const from = Date.now()
          server.pause()
          await elapse(SIZE.outageMs)
          server.resume()
          const back = Date.now()
          const sent = world.pcs.calls.length
          await until(async () => world.pcs.calls.length > sent || (await isOver()), 'it goes on by itself')
          const resumedMs = Date.now() - back
          console.log(`after ${SIZE.outageMs} ms without Redis it went on within ${resumedMs} ms`)
          resumed.push(resumedMs)
          down.push([from, Date.now() + STARTING_MS])
        }
        await start(world, { redis: server.url })
      }
      expect(kills).toBeGreaterThan(1)
      const progress = await untilEnded(campaign)
      const unknown = await assertAllOrUnknown(world, campaign, SIZE.people)
      const readableAfter = await readablePpnums(client)
      await settleAsCounted(world, campaign, SIZE.people)
      for (const worker of workers.splice(0)) await worker.kill()
      await elapse(1_000) // Redis frees what it kept for their connections
      const left = await memoryOfKeys(client)
      const grown = (await usedMemory(client)) - before
      console.log(
        `${SIZE.people} people, ${kills} kills: ${progress.accepted} accepted, ${unknown} chunks unknown, ${world.pcs.twice()} twice, ` +
          `at most ${mostInAMinute(world.pcs.calls)} calls in a minute of ${SIZE.perMinute}, at least ${fewestInAMinute(world.pcs.calls, down)} (kills included); ${readable} ppnums readable; Redis ${Math.round(peak / 1024)} KB at its peak, ` +
          `afterwards ${Math.round(left / 1024)} KB in keys, ${Math.round(grown / 1024)} KB in all`,
      )
      expect(unknown).toBeLessThanOrEqual(kills * CONCURRENCY)
      expect(progress.accepted + progress.unknown).toBe(SIZE.people)
      expect(mostInAMinute(world.pcs.calls)).toBeLessThanOrEqual(SIZE.perMinute)
      expect(Math.max(...resumed)).toBeLessThan(await allowed(isFull ? 5_000 : 10_000))
      expect(readable).toBe(0)
      expect(readableAfter).toBe(0)
      expect(left).toBeLessThan(1024 * 1024)
      expect(grown).toBeLessThan(1024 * 1024)
      expect(peak).toBeLessThan(SIZE.people * 40)
    } finally {
      client.disconnect()
      await world.close()
      await server.stop()
    }
  })

  test('a Cluster of three masters, of which one is killed', async () => {
    const group: RedisGroup = await startCluster({ withReplica: true })
    const cluster = await connectCluster(group)
    const world = await startCampaignWorld(cluster, await prefixOnFirst(cluster))
    const size = isFull ? 100_000 : 20_000
    world.pcs.takesMs = 100
    try {
      const campaign = await world.open().create({ id: 'autumn', templateId: TEMPLATE_ID, recipients: people(size) })
      for (let i = 0; i < 2; i++) await start(world, { cluster: group.ports }, isFull ? 120 : 600)
      await until(() => world.pcs.calls.length > 2, 'workers work')
      await failOverSoon(group)
      await group.servers[0]?.kill()
      const killedAt = Date.now()
      const heir = new Redis(group.servers[3]?.port ?? 0, '127.0.0.1')
      await untilWorks(async () => (await heir.info('replication')).includes('role:master'))
      heir.disconnect()
      const sent = world.pcs.calls.length
      await until(() => world.pcs.calls.length > sent, 'it goes on by itself')
      console.log(`Cluster: it went on ${Date.now() - killedAt} ms after its master was killed`)
      const progress = await untilEnded(campaign)
      expect(progress.accepted + progress.unknown).toBe(size)
      const unknown = await assertAllOrUnknown(world, campaign, size)
      console.log(`Cluster: ${size} people, ${progress.accepted} accepted, ${unknown} chunks unknown`)
    } finally {
      await world.close()
      cluster.disconnect()
      await group.stop()
    }
  })
})

const describeAtFullSize = isFull ? describeWithOwnRedis : (): void => {}
describeAtFullSize('campaigns at full speed', () => {
  test('three workers keep the pace, are silent for the 20 seconds of a hint, and stop at a cancel from elsewhere', async () => {
    const server = await startRedis({ args: ['--maxmemory-policy', 'noeviction'] })
    const world = await startCampaignWorld(server.url, 'pace:')
    const workers: WorkerProcess[] = []
    const { apiUrl, tokenUrl, clientId, clientSecret } = world.pcs
    try {
      const campaign = await world.open().create({
        id: 'autumn',
        templateId: TEMPLATE_ID,
        recipients: people(Math.ceil((SIZE.paceMs / 60_000 + 1) * SIZE.pacePerMinute) * 1_000),
      })
      for (let i = 0; i < 3; i++)
        workers.push(
          await startWorkerProcess({
            ...{ redis: server.url, vaultKeys: [VAULT_KEY], keyPrefix: world.prefix, concurrency: CONCURRENCY },
            ...{ messaging: { apiUrl, tokenUrl, clientId, clientSecret }, perMinute: SIZE.pacePerMinute },
          }),
        )
      await elapse(SIZE.paceMs)
      const paced = [...world.pcs.calls]
      const down: Down[] = [[0, (paced[0] ?? 0) + STARTING_MS]]
      const [most, fewest] = [mostInAMinute(paced), fewestInAMinute(paced, down)]
      console.log(`${paced.length} calls, at most ${most} and at least ${fewest} in a minute of ${SIZE.pacePerMinute}`)

      let hintedAt = 0
      world.pcs.refuse = () => {
        if (hintedAt > 0) return undefined
        hintedAt = Date.now()
        return { code: 8, details: 'too many', trailers: { 'retry-after-ms': '20000' } }
      }
      await until(() => hintedAt > 0)
      const next = await until(() => world.pcs.calls.find((at) => at > hintedAt + 1_000), 'it goes on')
      const inFlight = world.pcs.calls.filter((at) => at > hintedAt && at <= hintedAt + 1_000).length
      console.log(`hint of 20 s: next call after ${next - hintedAt} ms; ${inFlight} calls were on their way`)
      await until(() => world.pcs.calls.filter((at) => at > next).length > 5)

      const cancelledAt = Date.now()
      await campaign.cancel()
      await untilWorks(async () => (await campaign.show()).state === 'cancelled')
      const last = Math.max(...world.pcs.calls)
      console.log(`cancel(): last call ${last - cancelledAt} ms later; twice: ${world.pcs.twice()}`)
      expect(last - cancelledAt).toBeLessThanOrEqual(1_000)
      expect(next - hintedAt).toBeGreaterThanOrEqual(19_900)
      expect(world.pcs.twice()).toBe(0)
      expect(most).toBeLessThanOrEqual(SIZE.pacePerMinute)
      expect(fewest).toBeGreaterThanOrEqual(0.95 * SIZE.pacePerMinute)
    } finally {
      for (const worker of workers) await worker.kill()
      await world.close()
      await server.stop()
    }
  })
})

/** The queue and the ledger are in one slot: one of the master that has a replica. */
async function prefixOnFirst(cluster: Cluster): Promise<string> {
  for (let i = 0; ; i++) {
    const slot = Number(await cluster.cluster('KEYSLOT', `{cluster${i}:campaigns}`))
    if (slot < 5_000) return `cluster${i}:`
  }
}

/** How many ppnums of the invented people stand readable in any key, name or value. */
async function readablePpnums(client: Redis): Promise<number> {
  let found = 0
  for (const key of await client.keys('*')) {
    const texts: unknown[] = [key, await readAll(client, key)]
    found += JSON.stringify(texts).match(/50000\d{6}/g)?.length ?? 0
  }
  return found
}

/** Not by DUMP, which packs what it gives. */
async function readAll(client: Redis, key: string): Promise<unknown> {
  const type = await client.type(key)
  if (type === 'hash') return client.hgetall(key)
  if (type === 'zset') return client.zrange(key, 0, '-1', 'WITHSCORES')
  if (type === 'list') return client.lrange(key, 0, '-1')
  if (type === 'set') return client.smembers(key)
  if (type === 'stream') return client.xrange(key, '-', '+')
  return type === 'string' ? client.get(key) : ''
}

async function memoryOfKeys(client: Redis): Promise<number> {
  const sizes = (await client.keys('*')).map((key) => client.memory('USAGE', key, 'SAMPLES', 0))
  return (await Promise.all(sizes)).reduce<number>((sum, size) => sum + (size ?? 0), 0)
}

/** Scripts included, but not what Redis keeps of how long each command took: some 40 KB for every command ever used. */
async function usedMemory(client: Redis): Promise<number> {
  await client.config('RESETSTAT')
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

/** From when to when Redis was away, or nothing had begun. */
type Down = readonly [number, number]
/** What workers may take to be at full pace again. */
const STARTING_MS = 10_000

/** The fewest calls in any 60 seconds in which nothing was down, before the last call. */
function fewestInAMinute(calls: readonly number[], down: readonly Down[]): number {
  const [end = 0] = calls.slice(-1)
  let fewest = Number.POSITIVE_INFINITY
  let next = 0
  for (const [first, at] of calls.entries()) {
    const until = at + 60_000
    while (next < calls.length && (calls[next] ?? 0) < until) next += 1
    if (until > end || down.some(([from, to]) => from < until && to > at)) continue
    fewest = Math.min(fewest, next - first)
  }
  return fewest
}
