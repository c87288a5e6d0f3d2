import { afterEach, beforeEach, expect, test } from '@jest/globals'
import { createRedisCampaignLedger } from '../../src/store/redis/campaigns/ledger.js'
import { allowed } from '../support/allowed.js'
import { describeWithOwnRedis, type RedisServer, startRedis } from '../support/redis.js'
import { elapse, until, untilWorks } from '../support/until.js'
import { startWorkerProcess, type WorkerProcess } from './support/worker-process.js'
import { type CampaignWorld, people, startCampaignWorld, TEMPLATE_ID, VAULT_KEY } from './support/world.js'

const isFull = process.env['CAMPAIGNS_AT_FULL_SIZE'] === '1'
const OUTAGE_MS = isFull ? 30_000 : 6_000
/** What is promised. On a quiet machine it takes about one second. */
const GOES_ON_MS = 5_000
const PER_MINUTE = 60

describeWithOwnRedis('campaigns after an outage of Redis', () => {
  let server: RedisServer
  let world: CampaignWorld
  let workers: WorkerProcess[]
  beforeEach(async () => {
    const lasting = ['--maxmemory-policy', 'noeviction', '--appendonly', 'yes', '--appendfsync', 'always']
    server = await startRedis({ args: lasting })
    world = await startCampaignWorld(server.url, 'outage:')
    workers = []
  })
  afterEach(async () => {
    for (const worker of workers) await worker.kill()
    await world.close()
    await server.stop()
  })

  /** As many as a campaign of this pace may have in hand, so that nobody else could take one. */
  async function holdAllAndDie(): Promise<void> {
    const ledger = createRedisCampaignLedger({ redis: server.url, prefix: world.prefix })
    await ledger.seen('dead', 4, 1)
    for (const index of [290, 291, 292, 293])
      await untilWorks(() => ledger.take({ id: 'autumn', index, claim: `dead#${index}` }, '0', 1_000).then(() => true))
    await ledger.close()
  }

  test.each([
    ['says nothing', async () => server.pause(), async () => server.resume()],
    ['is killed', () => server.kill(), () => server.restart()],
  ])('one that %s, just after a worker died with chunks in hand', async (how, stop, start) => {
    const { apiUrl, tokenUrl, clientId, clientSecret } = world.pcs
    await world.open().create({ id: 'autumn', templateId: TEMPLATE_ID, recipients: people(300_000) })
    for (let i = 0; i < 2; i++)
      workers.push(
        await startWorkerProcess({
          ...{ redis: server.url, vaultKeys: [VAULT_KEY], keyPrefix: world.prefix, concurrency: 2 },
          ...{ messaging: { apiUrl, tokenUrl, clientId, clientSecret }, perMinute: PER_MINUTE },
        }),
      )
    await until(() => world.pcs.calls.length > 3, 'workers work')
    await holdAllAndDie()
    await stop()
    await elapse(OUTAGE_MS)
    const sent = world.pcs.calls.length
    const back = Date.now()
    await start()
    await until(() => world.pcs.calls.length > sent, 'it goes on')
    const wentOnMs = Date.now() - back
    await until(() => world.pcs.calls.length > sent + 3, 'it stays so')
    console.log(`a Redis that ${how} for ${OUTAGE_MS} ms: it went on within ${wentOnMs} ms`)
    expect(wentOnMs).toBeLessThan(await allowed(GOES_ON_MS))
    expect(world.pcs.twice()).toBe(0)
    // What happens to the queue's own jobs meanwhile is nobody's business.
    for (const worker of workers) expect(worker.errors()).not.toMatch(/Missing (lock|key)/)
  })
})
