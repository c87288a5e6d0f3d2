import { afterEach, beforeAll, beforeEach, expect, jest, test } from '@jest/globals'
import { parseCampaignsOptions } from '../../src/campaigns/options.js'
import type { Campaign, CampaignProgress, CampaignsOptions } from '../../src/campaigns/types.js'
import { allowed } from '../support/allowed.js'
import { describeWithRedis, redisForTests, type TestRedis } from '../support/redis.js'
import { stays, until, untilWorks } from '../support/until.js'
import { type CampaignWorld, people, ppnumOf, startCampaignWorld, TEMPLATE_ID, VAULT_KEY } from './support/world.js'

describeWithRedis('campaigns', () => {
  let redis: TestRedis
  let world: CampaignWorld
  beforeAll(async () => {
    redis = await redisForTests()
  })
  beforeEach(async () => {
    world = await startCampaignWorld(redis.url, redis.prefix())
  })
  afterEach(() => world.close())

  const request = (count: number, id = 'autumn') => ({ id, templateId: TEMPLATE_ID, recipients: people(count) })
  // A Redis on a busy machine may answer late.
  const untilState = (campaign: Campaign, state: CampaignProgress['state']) =>
    untilWorks(async () => {
      const progress = await campaign.show()
      return progress.state === state ? progress : undefined
    }, `the campaign is ${state}`)

  test('a campaign writes to everybody once, and ends', async () => {
    const campaigns = world.open()
    const campaign = await campaigns.create(request(5_500))
    expect(await campaign.show()).toMatchObject({ state: 'running', total: 5_500, left: 5_500, accepted: 0 })
    campaigns.work()
    const seen: CampaignProgress[] = []
    for await (const progress of campaign.progress({ everyMs: 20 })) seen.push(progress)
    expect(seen.at(-1)).toMatchObject({ state: 'finished', total: 5_500, accepted: 5_500, left: 0, unknown: 0 })
    expect(world.pcs.counts.size).toBe(5_500)
    expect(world.pcs.twice()).toBe(0)
  })

  test('a ppnum that is in the list twice gets one message', async () => {
    const campaigns = world.open()
    const campaign = await campaigns.create({ ...request(0), recipients: [...people(1_500), ...people(1_500)] })
    campaigns.work()
    expect(await untilState(campaign, 'finished')).toMatchObject({ total: 1_500, accepted: 1_500 })
    expect(world.pcs.twice()).toBe(0)
  })

  test('nothing of a recipient is readable in Redis', async () => {
    const campaigns = world.open()
    const recipients = [{ ppnum: ppnumOf(1), vars: { name: 'Sunita Verma' } }]
    await campaigns.create({ id: 'autumn', templateId: TEMPLATE_ID, recipients })
    void campaigns.queue
    const values: string[] = []
    for (const key of await redis.client.keys(`*${world.prefix}*`))
      values.push(key, (await redis.client.dump(key)) ?? '')
    expect(values.length).toBeGreaterThan(4)
    expect(values.join('\n')).not.toContain(ppnumOf(1))
    expect(values.join('\n')).not.toContain('Sunita')
  })

  test('the same id with the same content is one campaign, also when created twice at once', async () => {
    const [one, other] = [world.open(), world.open()]
    await Promise.all([one.create(request(3_000)), other.create(request(3_000))])
    await other.create(request(3_000))
    one.work()
    other.work()
    expect(await untilState(one.get('autumn'), 'finished')).toMatchObject({ total: 3_000, accepted: 3_000 })
    expect(world.pcs.twice()).toBe(0)
    expect(await one.list()).toHaveLength(1)
    expect(await redis.client.keys(`*${world.prefix}*draft*`)).toEqual([])
  })

  test.each([
    ['other recipients', { recipients: [...people(10, 5)] }],
    ['another template', { templateId: 'tpl_other' }],
    ['another start', { startAt: new Date('2030-01-01') }],
  ])('the same id with %s is a conflict', async (_what, change) => {
    const campaigns = world.open()
    await campaigns.create({ ...request(0), recipients: [...people(10)] })
    await expect(campaigns.create({ ...request(0), recipients: [...people(10)], ...change })).rejects.toMatchObject({
      code: 'campaign_conflict',
      status: 409,
    })
  })

  test('a source that throws creates nothing', async () => {
    const campaigns = world.open()
    const broken = function* () {
      yield* people(1_200)
      throw new Error('the file ended')
    }
    await expect(campaigns.create({ ...request(0), recipients: broken() })).rejects.toMatchObject({
      code: 'recipients_source_failed',
    })
    await expect(campaigns.get('autumn').show()).rejects.toMatchObject({ code: 'not_found' })
    expect(await redis.client.keys(`*${world.prefix}*one:*`)).toEqual([])
  })

  test('a paused campaign sends nothing until it is resumed, from any instance', async () => {
    const [one, other] = [world.open({ perMinute: 1_200 }), world.open()]
    const campaign = await one.create(request(12_000))
    one.work()
    await until(() => world.pcs.calls.length > 2)
    await other.get('autumn').pause()
    await until(async () => (await redis.client.zcard(keyOf('sending'))) === 0)
    const sent = world.pcs.calls.length
    await stays(() => world.pcs.calls.length === sent, 'nothing is sent', 1_500)
    expect((await campaign.show()).state).toBe('paused')
    await other.get('autumn').resume()
    expect(await untilState(campaign, 'finished')).toMatchObject({ accepted: 12_000 })
    expect(world.pcs.twice()).toBe(0)
  })

  test('cancel() from another instance: no call begins a second later, and the recipients are deleted', async () => {
    const [one, other] = [world.open({ perMinute: 1_200 }), world.open()]
    const campaign = await one.create(request(60_000))
    one.work()
    await until(() => world.pcs.calls.length > 3)
    await other.get('autumn').cancel()
    const cancelledAt = Date.now()
    const progress = await untilState(campaign, 'cancelled')
    expect(Math.max(...world.pcs.calls)).toBeLessThan(cancelledAt + (await allowed(1_000)))
    expect(progress.left).toBe(60_000 - progress.accepted)
    expect(progress.left).toBeGreaterThan(0)
    expect(await redis.client.exists(keyOf('chunks'), keyOf('todo'))).toBe(0)
  })

  test('at a call a minute nothing is held until the next one: cancel() ends the campaign at once', async () => {
    const campaigns = world.open({ perMinute: 1 })
    const campaign = await campaigns.create(request(5_000))
    campaigns.work()
    await until(() => world.pcs.calls.length > 0)
    await stays(() => world.pcs.calls.length === 1, 'one call is made', 1_500)
    await campaign.cancel()
    const cancelledAt = Date.now()
    await untilState(campaign, 'cancelled')
    expect(Date.now() - cancelledAt).toBeLessThan(await allowed(2_000))
  })

  test('a filter decides right before the send, and is counted', async () => {
    const campaigns = world.open()
    const campaign = await campaigns.create(request(2_500))
    const filter = jest.fn((chunk: readonly { readonly ppnum: string }[]) =>
      chunk.filter(({ ppnum }) => Number(ppnum) % 2 === 0),
    )
    campaigns.work({ filters: { autumn: filter } })
    expect(await untilState(campaign, 'finished')).toMatchObject({ accepted: 1_250, filtered: 1_250, left: 0 })
    expect(world.pcs.counts.has(ppnumOf(1))).toBe(false)
    expect(filter).toHaveBeenCalledTimes(3)
  })

  test('a filter that throws stops the campaign, and nobody is written to', async () => {
    const campaigns = world.open()
    const campaign = await campaigns.create(request(2_500))
    const filter = () => {
      throw new Error('the database is away')
    }
    campaigns.work({ filters: { autumn: filter } })
    expect(await untilState(campaign, 'stopped')).toMatchObject({ left: 2_500, reason: { code: 'filter_failed' } })
    expect(world.pcs.calls).toEqual([])
  })

  test('a hint of rate_limited silences all workers for its time', async () => {
    const instances = [world.open(), world.open(), world.open()]
    const campaign = await instances[0]?.create(request(30_000))
    if (campaign === undefined) throw new Error('no campaign')
    let refusedAt: number | undefined
    world.pcs.refuse = () => {
      if (refusedAt !== undefined || world.pcs.calls.length < 5) return undefined
      refusedAt = Date.now()
      return { code: 8, details: 'too many', trailers: { 'retry-after-ms': '40000' } }
    }
    world.pcs.takesMs = 200
    for (const one of instances) one.work({ concurrency: 2 })
    const progress = await untilState(campaign, 'resting')
    expect(progress.reason).toMatchObject({ code: 'rate_limited' })
    expect(Number(progress.reason?.until) - Number(refusedAt)).toBeGreaterThan(39_000)
    // Calls that had begun when the hint came are done within their time.
    const begun = (await until(() => refusedAt)) + (await allowed(1_000))
    await until(() => Date.now() > begun, 'those are done')
    await stays(() => world.pcs.calls.every((at) => at < begun), 'all are silent', 4_000)
    await campaign.cancel()
  })

  test.each([
    ['quota_exceeded', { code: 8, details: 'monthly quota' }],
    ['permission_denied', { code: 7, details: 'app is suspended' }],
    ['precondition_failed', { code: 9, details: 'the template is inactive' }],
    ['not_found', { code: 5, details: 'no such template' }],
  ])('%s stops the campaign with its reason, and resume() goes on', async (code, answer) => {
    const [one, other] = [world.open(), world.open()]
    const campaign = await one.create(request(5_000))
    world.pcs.refuse = () => answer
    one.work()
    other.work()
    const stopped = await untilState(campaign, 'stopped')
    expect(stopped).toMatchObject({
      left: 5_000,
      accepted: 0,
      reason: { code, message: expect.stringContaining('send') },
    })
    await until(async () => (await redis.client.zcard(keyOf('sending'))) === 0)
    const tried = world.pcs.calls.length
    await stays(() => world.pcs.calls.length === tried, 'no worker tries again', 1_200)
    world.pcs.refuse = () => undefined
    await campaign.resume()
    expect(await untilState(campaign, 'finished')).toMatchObject({ accepted: 5_000 })
    expect(world.pcs.twice()).toBe(0)
  })

  test('credentials that are refused stop the campaign for all workers, and resume() goes on', async () => {
    const [one, other] = [world.open(), world.open()]
    const campaign = await one.create(request(5_000))
    world.pcs.refusesCredentials = true
    one.work()
    other.work()
    const { left, reason } = await untilState(campaign, 'stopped')
    expect({ left, code: reason?.code }).toEqual({ left: 5_000, code: 'credentials_rejected' })
    expect(world.pcs.calls).toEqual([])
    world.pcs.refusesCredentials = false
    await campaign.resume()
    expect(await untilState(campaign, 'finished')).toMatchObject({ accepted: 5_000 })
    expect(world.pcs.twice()).toBe(0)
  })

  test('one recipient that Ppoppo refuses does not take its chunk with it', async () => {
    const campaigns = world.open()
    const campaign = await campaigns.create(request(3_000))
    world.pcs.refuse = (ppnums) => (ppnums.includes(ppnumOf(1_234)) ? { code: 3, details: 'bad recipient' } : undefined)
    campaigns.work()
    expect(await untilState(campaign, 'finished')).toMatchObject({ accepted: 2_999, rejected: 1, left: 0 })
    expect(world.pcs.twice()).toBe(0)
  })

  test('a PCS that refuses every single send stops the campaign instead of being asked a million times', async () => {
    const campaigns = world.open()
    const campaign = await campaigns.create(request(20_000))
    world.pcs.refuse = () => ({ code: 3, details: 'bad request' })
    campaigns.work()
    expect((await untilState(campaign, 'stopped')).reason).toMatchObject({ code: 'request_invalid' })
    expect(world.pcs.calls.length).toBeLessThan(60)
  })

  test('a send without an answer is unknown, never sent again by itself, and settle() decides', async () => {
    const messaging = world.messaging()
    const campaigns = world.open({
      messaging: { ...messaging, send: (one, options) => messaging.send(one, { ...options, deadlineMs: 10_000 }) },
    })
    const campaign = await campaigns.create(request(3_000))
    const silent = [ppnumOf(0), ppnumOf(1_000)]
    world.pcs.refuse = (ppnums) => (silent.includes(ppnums[0] ?? '') ? 'silence' : undefined)
    campaigns.work()
    expect(await untilState(campaign, 'finished')).toMatchObject({ accepted: 1_000, unknown: 2_000, left: 0 })
    const chunks = []
    for await (const chunk of campaign.unknown()) chunks.push(chunk)
    expect(chunks.map(({ recipients }) => recipients.length)).toEqual([1_000, 1_000])
    world.pcs.refuse = () => undefined
    const [sent, notSent] = chunks
    await campaign.settle(sent?.index ?? -1, 'sent')
    await campaign.settle(notSent?.index ?? -1, 'not-sent')
    expect(await untilState(campaign, 'finished')).toMatchObject({ accepted: 3_000, unknown: 0 })
    expect(world.pcs.counts.has(sent?.recipients[0]?.ppnum ?? '')).toBe(false)
    expect(world.pcs.counts.get(notSent?.recipients[0]?.ppnum ?? '')).toBe(1)
    await expect(campaign.settle(0, 'sent')).rejects.toMatchObject({ code: 'not_found' })
  })

  test('an event of a foreign send of the same size settles an unknown chunk; other events do not', async () => {
    const messaging = world.messaging()
    const late = (...[one, options]: Parameters<typeof messaging.send>) =>
      messaging.send(one, { ...options, deadlineMs: 10_000 })
    const campaigns = world.open({ messaging: { ...messaging, send: late } })
    const campaign = await campaigns.create(request(1_500))
    // It is accepted, and nobody is told: as when a worker dies.
    world.pcs.refuse = (ppnums) => (ppnums.length === 1_000 ? 'silence' : undefined)
    campaigns.work()
    expect(await untilState(campaign, 'finished')).toMatchObject({ accepted: 500, unknown: 1_000 })
    world.pcs.refuse = () => undefined
    const other = await messaging.send({ templateId: TEMPLATE_ID, recipients: [...people(3)] })
    const itsOwn = await messaging.send({ templateId: TEMPLATE_ID, recipients: [...people(1_000)] })
    const event = (sendRequestId: string, i: number) => ({
      eventId: `e${sendRequestId}${i}`,
      sendRequestId,
      type: 'recipient_delivered' as const,
      recipient: { ppnum: ppnumOf(i) },
      occurredAt: new Date(),
    })
    expect(await campaigns.learn(event(other.id, 1))).toBe(false)
    expect(await campaigns.learn(event(world.pcs.sends[0]?.id ?? '', 1_200))).toBe(false)
    expect(await campaign.show()).toMatchObject({ unknown: 1_000 })
    expect(await campaigns.learn(event(itsOwn.id, 2))).toBe(true)
    expect(await campaign.show()).toMatchObject({ unknown: 0, accepted: 1_500 })
  })

  test('nothing is sent before startAt', async () => {
    const campaigns = world.open()
    const startAt = new Date(Date.now() + 2_500)
    const campaign = await campaigns.create({ ...request(1_000), startAt })
    campaigns.work()
    expect((await campaign.show()).state).toBe('scheduled')
    await untilState(campaign, 'finished')
    expect(Math.min(...world.pcs.calls)).toBeGreaterThanOrEqual(startAt.getTime())
  })

  test('outside of the hours of its zone nobody is written to, for two zones', async () => {
    let offsetMs = 0
    const campaigns = world.open({ perMinute: 300 }, { now: () => Date.now() + offsetMs })
    const zoneOf = new Map(
      [...people(60_000)].map(({ ppnum }, i) => [ppnum, i % 2 === 0 ? 'Asia/Seoul' : 'Europe/London']),
    )
    const campaign = await campaigns.create({
      ...request(60_000),
      window: { from: '09:00', to: '20:00', timeZone: 'Asia/Seoul' },
      timeZoneOf: ({ ppnum }) => zoneOf.get(ppnum),
    })
    // It is 19:00 in Seoul, and 10:00 in London.
    offsetMs = Date.parse('2026-01-15T10:00:00Z') - Date.now()
    const byZone = (zone: string) => world.pcs.sends.filter(({ first }) => zoneOf.get(first) === zone).length
    let lastInSeoul = 0
    world.pcs.refuse = ([first = '']) => {
      if (zoneOf.get(first) === 'Asia/Seoul') lastInSeoul = Date.now()
      return undefined
    }
    campaigns.work()
    await until(() => lastInSeoul > 0)
    const closedAt = Date.now() + 4_000
    offsetMs = Date.parse('2026-01-15T11:00:00Z') - closedAt
    await until(() => byZone('Europe/London') === 30)
    expect(lastInSeoul).toBeLessThan(closedAt)
    expect(byZone('Asia/Seoul')).toBeLessThan(30)
    const reason = await untilWorks(async () => {
      const { reason } = await campaign.show()
      return reason?.until && reason
    })
    expect(reason).toMatchObject({ code: 'window', until: new Date('2026-01-16T00:00:00Z') })
    offsetMs += 13.1 * 3_600_000
    expect(await untilState(campaign, 'finished')).toMatchObject({ accepted: 60_000 })
    expect(world.pcs.twice()).toBe(0)
  })

  test('a ledger of a newer version is left alone, and said so', async () => {
    const campaigns = world.open()
    const campaign = await campaigns.create(request(2_000))
    await redis.client.hset(keyOf('meta'), 'v', '2')
    campaigns.work()
    await expect(campaign.show()).rejects.toThrow(/newer version of express-ppoppo/)
    await expect(campaign.pause()).rejects.toThrow(/newer version of express-ppoppo/)
    await stays(() => world.pcs.calls.length === 0, 'nothing is sent', 1_200)
    await redis.client.hset(keyOf('meta'), 'v', '1')
    expect(await untilState(campaign, 'finished')).toMatchObject({ accepted: 2_000 })
  })

  test('a worker without the vault key stops the campaign, and sends nothing', async () => {
    const campaign = await world.open().create(request(2_000))
    const other = world.open({
      vaultKeys: [`k2:${Buffer.alloc(32, 'q7Z!x').toString('base64').replace('cTda', 'AbCd')}`, VAULT_KEY].slice(0, 1),
    })
    other.work()
    expect((await untilState(campaign, 'stopped')).reason).toMatchObject({ code: 'config_invalid' })
    expect(world.pcs.calls).toEqual([])
  })

  test('in development without vault keys all instances share one that is made, and production refuses', async () => {
    const without = { vaultKeys: undefined } as unknown as Partial<CampaignsOptions>
    const [one, other] = [world.open(without), world.open(without)]
    const campaign = await one.create(request(2_000))
    other.work()
    expect(await untilState(campaign, 'finished')).toMatchObject({ accepted: 2_000 })
    expect(world.warnings.join()).toContain('PPOPPO_VAULT_KEYS is not set')
    const options = { messaging: world.messaging(), redis: redis.url, perMinute: 60 }
    expect(() => parseCampaignsOptions(options, { NODE_ENV: 'production' })).toThrow(
      /"vaultKeys".*is required in production/,
    )
  })

  test('close() waits for sends under way, and gives back what is not sent', async () => {
    const [one, other] = [world.open(), world.open()]
    const campaign = await one.create(request(20_000))
    world.pcs.takesMs = 400
    const work = one.work({ concurrency: 3 })
    await until(() => world.pcs.calls.length > 2)
    await work.close()
    expect(await redis.client.zcard(keyOf('sending'))).toBe(0)
    expect(await redis.client.zcard(keyOf('held'))).toBe(0)
    expect(await campaign.show()).toMatchObject({ unknown: 0 })
    other.work({ concurrency: 10 })
    expect(await untilState(campaign, 'finished')).toMatchObject({ accepted: 20_000, unknown: 0 })
    expect(world.pcs.twice()).toBe(0)
  })

  function keyOf(name: string): string {
    return `{${world.prefix}campaigns}:one:autumn:${name}`
  }
})
