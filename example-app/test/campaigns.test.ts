import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals'
import type { Campaigns } from 'express-ppoppo/campaigns'
import { describeWithRedis, redisForTests, type TestRedis } from '../../test/support/redis.js'
import { until } from '../../test/support/until.js'
import { type OpenStream, openStream } from './live-support.js'
import { type Browser, locationOf, startWorld, type World } from './support.js'

const numbers = (count: number) => Array.from({ length: count }, (_, i) => String(12_310_000_000 + i)).join('\n')
const form = (id: string, count: number) => ({
  ...{ id, template: 'note', message: 'We are open <again>', numbers: numbers(count) },
  ...{ from: '', to: '', time_zone: 'Asia/Seoul' },
})

describeWithRedis('the page of campaigns', () => {
  let redis: TestRedis
  let world: World
  let campaigns: Campaigns
  let browser: Browser
  const streams: OpenStream[] = []
  beforeAll(async () => {
    redis = await redisForTests()
    world = await startWorld({
      pcsPort: 0,
      pcsStepMs: 60_000,
      campaigns: { redis: redis.url, keyPrefix: redis.prefix(), onWarning: () => {} },
    })
    if (world.desk === undefined) throw new Error('no campaigns')
    campaigns = world.desk.campaigns
    campaigns.work()
  })
  beforeEach(async () => {
    browser = world.browser()
    await browser.signIn()
  })
  afterEach(() => {
    for (const stream of streams.splice(0)) stream.close()
    expect(world.errors.splice(0)).toEqual([])
  })
  afterAll(() => world.close())

  async function open(path: string): Promise<OpenStream> {
    const stream = await openStream(world, browser, path)
    streams.push(stream)
    return stream
  }
  const htmlOf = ({ received }: OpenStream, name: string): string =>
    received.flatMap(({ event, data }) => (event === name ? [String(data?.['html'])] : [])).join('')

  test('creates one by its form, and its page changes by itself until it is finished', async () => {
    const created = await browser.post('/campaigns', form('autumn', 2_500)).expect(303)
    expect(locationOf(created)).toBe('/campaigns/autumn')
    const page = await browser.get('/campaigns/autumn').expect(200)
    expect(page.text).toContain('data-stream="/campaigns/autumn/events"')
    const stream = await open('/campaigns/autumn/events')
    await stream.until(() => htmlOf(stream, 'progress').includes('<strong>Finished</strong>'))
    expect(htmlOf(stream, 'progress')).toContain('2,500 of 2,500')
    expect(world.sandbox.control.pcs.sends.map(({ total }) => total).sort()).toEqual([1_000, 1_000, 500])
    expect((await browser.get('/campaigns')).text).toMatch(/href="\/campaigns\/autumn".*\n.*Finished/)
    // Again is the same; under this name with another list is not.
    await browser.post('/campaigns', form('autumn', 2_500)).expect(303)
    const conflict = await browser.post('/campaigns', form('autumn', 3)).expect(400)
    expect(conflict.text).toContain('There is another campaign of this name')
  })

  test('pauses, resumes and cancels', async () => {
    const away = {
      method: 'CreateSendRequest',
      times: 'until-cleared',
      fault: { kind: 'delay', delayMs: 300 },
    } as const
    world.sandbox.control.pcs.inject(away)
    try {
      await browser.post('/campaigns', form('spring', 60_000)).expect(303)
      expect((await browser.submit('/campaigns/spring/pause')).text).toContain('<strong>Paused</strong>')
      expect((await browser.submit('/campaigns/spring/resume')).text).toContain('<strong>Running</strong>')
      expect((await browser.submit('/campaigns/spring/cancel')).text).toMatch(/<strong>Cancel(l)?(ing|led)<\/strong>/)
    } finally {
      world.sandbox.control.pcs.clearFaults()
    }
  })

  test('lists chunks with an unknown outcome without their numbers, and takes both answers', async () => {
    const dropped = { kind: 'drop', afterProcessing: true } as const
    world.sandbox.control.pcs.inject({ method: 'CreateSendRequest', times: 2, fault: dropped })
    await browser.post('/campaigns', form('winter', 2_000)).expect(303)
    const campaign = campaigns.get('winter')
    await until(async () => (await campaign.show()).unknown === 2_000)
    world.sandbox.control.pcs.clearFaults() // one connection that breaks can take both sends with it
    const { text } = await browser.get('/campaigns/winter').expect(200)
    expect(text).toContain('Was it sent?')
    expect(text).not.toContain('12310000000')
    await browser.post('/campaigns/winter/settle', { index: '0', verdict: 'perhaps' }).expect(400)
    await browser.post('/campaigns/winter/settle', { index: '0', verdict: 'sent' }).expect(303)
    await browser.post('/campaigns/winter/settle', { index: '0', verdict: 'sent' }).expect(303) // answered already
    expect((await campaign.show()).unknown).toBe(1_000)
    await browser.post('/campaigns/winter/settle', { index: '1', verdict: 'not-sent' }).expect(303)
    await until(async () => (await campaign.show()).state === 'finished')
    expect(await campaign.show()).toMatchObject({ accepted: 2_000, unknown: 0 })
  })

  test.each([
    ['a name with a slash', { id: 'a/b' }, 'Please use 1 to 100 letters'],
    ['no message', { message: ' ' }, 'Please write a message'],
    ['a wrong number', { numbers: '12310000000\nyou' }, 'Please enter Ppoppo numbers only'],
    ['hours that are none', { from: '09:00', to: '09:00' }, 'must not be the same as &quot;window.from&quot;'],
  ])('with %s says what to fix, and keeps what was typed', async (_what, change, words) => {
    const { text } = await browser.post('/campaigns', { ...form('summer', 3), ...change }).expect(400)
    expect(text).toContain(words)
    expect(text).toContain(form('summer', 3).numbers.slice(0, 11))
    world.errors.splice(0)
  })

  test('is Korean for who reads Korean, and nothing of it is inline', async () => {
    const korean = world.browser(undefined, 'ko')
    await korean.signIn()
    for (const path of ['/campaigns', '/campaigns/autumn']) {
      const { text } = await korean.get(path).expect(200)
      expect(text).toContain('>캠페인</a>')
      expect(text).not.toMatch(/ style=| on[a-z]+="|<style|<script(?![^>]* src=)/)
    }
  })

  test('is for operators only, as is the queue, and a missing campaign is not found', async () => {
    for (const path of ['/campaigns', '/campaigns/autumn/events', '/campaigns/queue/'])
      await world.browser().get(path).set('Accept', 'application/json').expect(401)
    await browser.get('/campaigns/nope').expect(404)
    await browser.get('/campaigns/a%20b').expect(404)
    const closed = await startWorld({
      pcsPort: 0,
      campaigns: { redis: redis.url, keyPrefix: redis.prefix(), operators: ['12345678901'] },
    })
    try {
      const stranger = closed.browser()
      await stranger.signIn()
      expect((await stranger.get('/campaigns').expect(403)).text).toContain('This page is not for you')
      await stranger.get('/campaigns/queue/').expect(403)
    } finally {
      await closed.close()
    }
  })

  test('Bull Board shows the queue, reads only, and loads nothing from elsewhere', async () => {
    const { text, headers } = await browser.get('/campaigns/queue/').expect(200)
    expect(text).toContain('<base href="/campaigns/queue/"')
    expect(headers['content-security-policy']).toContain("script-src 'self'")
    const { body } = await browser.get('/campaigns/queue/api/queues').expect(200)
    expect(body).toMatchObject({ queues: [{ readOnlyMode: true }] })
    await browser.post('/campaigns/queue/api/queues/chunks/pause').expect(({ status }) => expect(status).not.toBe(200))
  })
})
