import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { type Sandbox, startSandbox } from 'ppoppo-sandbox'
import { createMessaging, type Messaging, type MessagingEvent } from '../../../src/messaging/index.js'
import { until } from '../../support/until.js'
import { ppnumAt } from '../send-many/recording-send.js'
import { type Http2Gateway, startHttp2Gateway } from '../support/http2-gateway.js'

const TEMPLATE = 'tpl_sandbox_welcome'
const PAGES = [403, 404, 401, 302, 200]

let sandbox: Sandbox
let gateway: Http2Gateway
let messaging: Messaging

beforeEach(async () => {
  sandbox = await startSandbox({ pasPort: 0, pcsPort: 0, pcsStepMs: 5 })
  if (!sandbox.pcs) throw new Error('no messaging service')
  const { url, tokenUrl, clientId, clientSecret } = sandbox.pcs
  gateway = await startHttp2Gateway(url)
  messaging = createMessaging({ apiUrl: gateway.url, tokenUrl, clientId, clientSecret })
})
afterEach(async () => {
  await messaging.close()
  await gateway.close()
  await sandbox.close()
})

const recipientsFrom = (first: number, count: number) =>
  Array.from({ length: count }, (_, index) => ({ ppnum: ppnumAt(first + index), vars: { name: 'Alex' } }))
const sentTo = (): string[] =>
  sandbox.control.pcs?.sends.flatMap(({ recipients }) => recipients.map(({ ppnum }) => ppnum)) ?? []
/** Answers so many calls of a method with a page. */
function answerPages(status: number, method: string, times: number): void {
  let left = times
  gateway.pageFor = (path) => (path.endsWith(`/${method}`) && left-- > 0 ? status : undefined)
}

describe.each(PAGES)('a page with HTTP %d from a gateway', (status) => {
  test('does not stop a healthy consumer, which continues where it was', async () => {
    const handled: MessagingEvent[] = []
    const consumer = messaging.consume({ name: 'pages', handler: (event) => void handled.push(event) })
    const logged = (): number => sandbox.control.pcs?.events.length ?? 0
    await messaging.send({ templateId: TEMPLATE, recipients: recipientsFrom(0, 1) })
    await until(() => handled.some(({ type }) => type === 'request_completed'), 'the first send is told')

    answerPages(status, 'StreamSendRequestEvents', 2)
    gateway.cut()
    await until(() => gateway.pages.length === 2, 'the page was given twice')
    await messaging.send({ templateId: TEMPLATE, recipients: recipientsFrom(1, 1) })
    const completed = (): number => handled.filter(({ type }) => type === 'request_completed').length
    await until(() => completed() === 2 && handled.length === logged(), 'all is told')
    expect(new Set(handled.map(({ eventId }) => eventId)).size).toBe(handled.length)
    await consumer.stop()
    await expect(consumer.closed).resolves.toBeUndefined()
  })
})

describe.each([401, 421])(
  'a page with HTTP %d in the middle of a bulk run, for what is in the head of a send',
  (status) => {
    test('loses no recipient, sends nothing twice, and stops nothing', async () => {
      await messaging.status('snd_none').catch(() => {})
      answerPages(status, 'CreateSendRequest', 2)
      const report = await messaging.sendMany({
        templateId: TEMPLATE,
        recipients: recipientsFrom(0, 50),
        chunkSize: 10,
        concurrency: 1,
      })
      expect(report).toMatchObject({ accepted: 50, rejected: 0, unknown: 0 })
      expect(gateway.pages).toHaveLength(2)
      const sent = sentTo()
      expect([sent.length, new Set(sent).size]).toEqual([50, 50])
    })
  },
)

describe.each([403, 404, 405, 302, 200])('M3: HTTP %d instead of a response of PCS to a send', (status) => {
  beforeEach(async () => {
    await messaging.status('snd_none').catch(() => {})
    gateway.replaceWith = (path) => (path.endsWith('/CreateSendRequest') ? status : undefined)
  })

  test('leaves a send with an unknown outcome, which is not retried', async () => {
    await expect(messaging.send({ templateId: TEMPLATE, recipients: recipientsFrom(0, 1) })).rejects.toMatchObject({
      code: 'send_outcome_unknown',
      message: expect.stringContaining('a gateway answered instead of PCS'),
    })
    expect(sentTo()).toEqual([ppnumAt(0)])
  })

  test('does not stop a bulk run, which sends to nobody twice and reports the unknown outcomes', async () => {
    let left = 2
    const always = gateway.replaceWith
    gateway.replaceWith = (path) => (always(path) !== undefined && left-- > 0 ? status : undefined)
    const report = await messaging.sendMany({
      templateId: TEMPLATE,
      recipients: recipientsFrom(0, 50),
      chunkSize: 10,
      concurrency: 1,
    })
    expect(report).toMatchObject({ accepted: 30, rejected: 0, unknown: 20, notSent: 0 })
    expect(report.stoppedBy).toBeUndefined()
    const sent = sentTo()
    expect([sent.length, new Set(sent).size]).toEqual([50, 50])
  })
})

describe('a path where nothing but pages ever answers', () => {
  beforeEach(() => {
    gateway.pageFor = () => 404
  })

  test('stops a bulk run after the sends in flight', async () => {
    const report = await messaging.sendMany({
      templateId: TEMPLATE,
      recipients: recipientsFrom(0, 50),
      chunkSize: 1,
      concurrency: 2,
    })
    expect(report.stoppedBy).toMatchObject({ code: 'messaging_misconfigured' })
    expect([report.accepted, report.unknown]).toEqual([0, 2])
  })

  test('is reported as a wrong path by the first call', async () => {
    await expect(messaging.status('snd_1')).rejects.toMatchObject({
      code: 'messaging_misconfigured',
      retryable: false,
      message: expect.stringMatching(/path of PCS_API_URL is wrong.*"\/ext"/),
    })
  })

  test('stops a consumer that never read anything, after a few tries', async () => {
    const consumer = messaging.consume({ name: 'lost', handler: () => {} })
    await expect(consumer.closed).rejects.toMatchObject({
      code: 'messaging_misconfigured',
      message: expect.stringContaining('PCS_API_URL'),
    })
    expect(gateway.pages.length).toBe(5)
  })
})
