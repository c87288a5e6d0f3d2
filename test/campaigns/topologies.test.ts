import { afterEach, expect, test } from '@jest/globals'
import { type Cluster, Redis } from 'ioredis'
import type { CampaignProgress, Campaigns } from '../../src/campaigns/types.js'
import { describeWithOwnRedis } from '../support/redis.js'
import {
  connectCluster,
  failOverSoon,
  type RedisGroup,
  startCluster,
  startSentinel,
} from '../support/redis-topologies.js'
import { until, untilWorks } from '../support/until.js'
import { type CampaignWorld, people, startCampaignWorld, TEMPLATE_ID } from './support/world.js'

const PEOPLE = 60_000
const MASTER = 'campaigns'

describeWithOwnRedis('campaigns while a master is killed', () => {
  let group: RedisGroup
  let redis: Redis | Cluster
  let world: CampaignWorld
  afterEach(async () => {
    await world.close()
    redis.disconnect()
    await group.stop()
  })

  test('Sentinel: the workers go on with the new master, and nobody is written to twice', async () => {
    group = await startSentinel(MASTER)
    const sentinels = group.ports.map((port) => ({ host: '127.0.0.1', port }))
    redis = new Redis({ sentinels, name: MASTER })
    redis.on('error', () => {})
    world = await startCampaignWorld(redis, 'sentinel:')
    const [master, replica] = group.servers
    await sendWhileFailing(async () => {
      await failOverSoon(group, MASTER)
      await master?.kill()
    }, replica?.port)
  })

  test('a Cluster: the workers go on with the replica of the killed master, and nobody is written to twice', async () => {
    group = await startCluster({ withReplica: true })
    const cluster = await connectCluster(group)
    redis = cluster
    world = await startCampaignWorld(cluster, await prefixOnFirst(cluster))
    const [master, , , replica] = group.servers
    await sendWhileFailing(async () => {
      await failOverSoon(group)
      await master?.kill()
    }, replica?.port)
  })

  async function sendWhileFailing(fail: () => Promise<void>, heir = 0): Promise<void> {
    const instances: Campaigns[] = [world.open({ perMinute: 1_200 }), world.open({ perMinute: 1_200 })]
    const campaign = await world.open().create({ id: 'autumn', templateId: TEMPLATE_ID, recipients: people(PEOPLE) })
    world.pcs.takesMs = 100
    for (const one of instances) one.work({ concurrency: 2 })
    await until(() => world.pcs.calls.length > 10)
    await fail()
    const look = new Redis(heir, '127.0.0.1')
    look.on('error', () => {})
    await untilWorks(async () => (await look.info('replication')).includes('role:master'))
    look.disconnect()
    const sent = world.pcs.calls.length
    await until(() => world.pcs.calls.length > sent, 'it goes on by itself')
    const finished = async (): Promise<CampaignProgress | undefined> => {
      const progress = await campaign.show()
      return progress.state === 'finished' ? progress : undefined
    }
    const progress = await untilWorks(finished, 'the campaign is finished')
    expect(progress.accepted + progress.unknown).toBe(PEOPLE)
    expect(progress.unknown).toBeLessThanOrEqual(4_000) // what was in hand
    expect(world.pcs.twice()).toBe(0)
  }
})

/** The queue and the ledger are in one slot: one that the master with a replica has. */
async function prefixOnFirst(cluster: Cluster): Promise<string> {
  for (let i = 0; ; i++) {
    const slot = Number(await cluster.cluster('KEYSLOT', `{cluster${i}:campaigns}`))
    if (slot < 5_000) return `cluster${i}:`
  }
}
