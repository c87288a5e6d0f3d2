/* The example app as people run it in earnest: two instances on one Redis, and things that go wrong under an open page. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals'
import { type Sandbox, startSandbox } from 'ppoppo-sandbox'
import { deliveries, eventIds, type OpenStream, openStream } from '../../example-app/test/live-support.js'
import { type Browser, createBrowser, locationOf } from '../../example-app/test/support.js'
import { type BuiltExample, buildExample } from '../../example-app/test/worker-build.js'
import { allowed } from '../support/allowed.js'
import { describeWithBrowser, launchBrowser } from '../support/browser.js'
import { describeWithOwnRedis, type RedisServer, startRedis } from '../support/redis.js'
import { type RoundRobinProxy, startRoundRobinProxy } from '../support/round-robin-proxy.js'
import { elapse, until } from '../support/until.js'
import { type ExampleProcess, startExampleProcess } from './support/example-process.js'
import { follow, type Reader } from './support/follow.js'
import { choose, openVisitor } from './support/visitor.js'

const TEST_NUMBERS = ['12300000001', '12300000002', '12300000003', '12300000004']
const numbersFrom = (first: number, count: number) => Array.from({ length: count }, (_, i) => String(first + i))

describeWithOwnRedis('two instances of the example app behind a proxy', () => {
  let redis: RedisServer
  let sandbox: Sandbox
  let built: BuiltExample
  let proxy: RoundRobinProxy
  let folder: string
  let apps: ExampleProcess[] = []
  let startOne: () => Promise<ExampleProcess>
  let person: Browser
  const open: { close(): void }[] = []

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'example-app-'))
    redis = await startRedis()
    sandbox = await startSandbox({ pasPort: 0, pcsPort: 0 })
    built = await buildExample()
    proxy = await startRoundRobinProxy(() => apps.map(({ port }) => port))
    startOne = () =>
      startExampleProcess(built.serverPath, {
        PPOPPO_BASE_URL: proxy.url,
        PPOPPO_AUTH_URL: sandbox.issuer,
        PCS_API_URL: sandbox.pcs?.url ?? '',
        REDIS_URL: redis.url,
        EXAMPLE_DATABASE: join(folder, 'example.db'),
        TRUST_PROXY: '1',
      })
    // Both make the tables, at the same time.
    apps = await Promise.all([startOne(), startOne()])
  })
  afterAll(async () => {
    await proxy.close()
    await Promise.all(apps.map((app) => app.kill()))
    await sandbox.close()
    await redis.stop()
    await built.remove()
    rmSync(folder, { recursive: true })
  })
  afterEach(() => {
    for (const one of open.splice(0)) one.close()
  })
  beforeEach(async () => {
    sandbox.control.set({ autoSignIn: 'alex', pcsStepMs: 100, pcsConsentMs: 300, pcsPollAnswerMs: 50 })
    person = createBrowser(proxy.url, 'test')
    await person.signIn('/messages')
  })

  /** @returns its path, and what Ppoppo calls it */
  async function send(template: string, numbers: readonly string[]): Promise<{ path: string; requestId: string }> {
    const { text } = await person.get('/messages').redirects(1)
    const [, formId = ''] = /name="form_id" value="([^"]+)"/.exec(text) ?? []
    const form = { form_id: formId, template, to: 'numbers', numbers: numbers.join('\n'), message: 'Hello' }
    const path = locationOf(await person.post('/messages', form).expect(303))
    return { path, requestId: sandbox.control.pcs.sends.at(-1)?.id ?? '' }
  }

  function read(): Reader {
    const reader = follow(proxy.url, person)
    open.push(reader)
    return reader
  }

  const told = (...requestIds: readonly string[]) =>
    sandbox.control.pcs.events
      .filter(({ send_request_id }) => requestIds.includes(send_request_id))
      .map(({ event_id }) => event_id)
  const isCompleted = (requestId: string) =>
    sandbox.control.pcs.sends.some(({ id, status }) => id === requestId && status === 'COMPLETED')

  async function restart(index: number): Promise<void> {
    await apps[index]?.kill()
    await elapse(1_000) // the other one is alone for a moment
    apps[index] = await startOne()
  }

  test('show the same, though only one of them reads Ppoppo’s events', async () => {
    const streams: OpenStream[] = await Promise.all(
      apps.map(({ url }) => openStream({ url }, person, '/messages/events')),
    )
    open.push(...streams)
    const { requestId } = await send('note', TEST_NUMBERS)
    for (const stream of streams) {
      await stream.until(() => deliveries(stream).some(({ data }) => data?.['type'] === 'request_completed'))
      expect(eventIds(stream)).toEqual(told(requestId))
    }
    expect(told(requestId)).toHaveLength(8)
  })

  test('lose no event while each is killed, the sandbox restarts and Redis falls silent', async () => {
    sandbox.control.set({ pcsStepMs: 1_500 })
    const readers: Reader[] = [read(), read()]
    const requestIds: string[] = []
    const sendOne = async () => requestIds.push((await send('note', numbersFrom(12_310_000_000, 200))).requestId)
    await sendOne()
    await restart(0)
    await sendOne()
    await restart(1)
    await sendOne()
    await sandbox.control.pcs.restart({ downMs: 500 })
    await sendOne()
    redis.pause()
    await elapse(3_000)
    redis.resume()
    await until(() => requestIds.every(isCompleted), 'all sends are over')
    const all = told(...requestIds)
    expect(all).toHaveLength(4 * 201)
    for (const reader of readers) {
      await reader.until((seen) => new Set(seen).size >= all.length)
      // Each once, and those of one send in their order.
      for (const id of requestIds) expect(reader.seen.filter((one) => told(id).includes(one))).toEqual(told(id))
      expect(reader.seen).toHaveLength(all.length)
      expect(reader.connections).toBeGreaterThan(1)
    }
  })

  test('stop at once though pages are open, and those go on at the other', async () => {
    const reader = read()
    const direct = await openStream({ url: apps[0]?.url ?? '' }, person, '/messages/events')
    open.push(direct)
    const stopped = await apps[0]?.stop()
    expect(stopped?.code).toBe(0)
    expect(stopped?.tookMs).toBeLessThan(await allowed(3_000))
    await direct.ended
    const { requestId } = await send('note', TEST_NUMBERS)
    await reader.until((seen) => seen.filter((id) => told(requestId).includes(id)).length === 8)
    apps[0] = await startOne()
  })

  describeWithBrowser('in a browser', () => {
    test('an open page goes on through all of that without being loaded again', async () => {
      const browser = await launchBrowser()
      // While nobody answers, the browser says so.
      const { page, complaints } = await openVisitor(browser, {}, /^Failed to load resource|net::ERR_/)
      sandbox.control.set({ autoSignIn: null, pcsStepMs: 3_000, pcsPollAnswerMs: 300 })
      await page.goto(`${proxy.url}/messages`)
      await choose(page, 'alex')
      const { path, requestId } = await send('poll', numbersFrom(12_310_000_000, 40))
      await page.goto(proxy.url + path)
      await page.evaluate('window.isTheSame = true')
      await restart(0)
      await restart(1)
      await sandbox.control.pcs.restart({ downMs: 500 })
      await until(() => isCompleted(requestId), 'the send is over')
      await page.getByText('Delivered to everybody.').first().waitFor({ timeout: 90_000 })
      // Those whose number ends in 9 never answer.
      await page.getByText('36 answers so far').waitFor({ timeout: 90_000 })
      const words = await page.locator('[data-words]').allTextContents()
      expect(words.filter((text) => text === 'Delivered and answered.')).toHaveLength(36)
      expect(words.filter((text) => text === 'Delivered.')).toHaveLength(4)
      expect(await page.evaluate('window.isTheSame')).toBe(true)
      expect(complaints).toEqual([])
      await browser.close()
    })
  })
})
