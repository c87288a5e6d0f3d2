import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import express from 'express'
import request from 'supertest'
import { type Messaging, type MessagingEvent, ppoppo } from '../../src/index.js'
import { createMessagingDouble, type MessagingDouble, signInAs } from '../../src/testing/index.js'

const KIM = { ppnum: '12312345678' }
let messaging: MessagingDouble
beforeEach(() => {
  messaging = createMessagingDouble()
})
afterEach(() => messaging.close())

async function take<T>(source: AsyncIterable<T>, count: number): Promise<readonly T[]> {
  const taken: T[] = []
  for await (const one of source) if (taken.push(one) === count) break
  return taken
}

describe('sends', () => {
  test('are remembered as they were validated', async () => {
    const receipt = await messaging.send({ templateId: 't1', recipients: [KIM, { ppnum: KIM.ppnum }] })
    expect(receipt).toEqual({ id: expect.stringMatching(/^[0-9A-Z]{26}$/), status: 'queued', totalRecipients: 1 })
    expect(messaging.sent).toEqual([{ id: receipt.id, templateId: 't1', recipients: [KIM], sentAt: expect.any(Date) }])
    expect(messaging.last()).toBe(messaging.sent[0])
  })

  test.each([
    ['an unknown name', { templateId: 't', recipients: [KIM], pol: {} }],
    ['a ppnum with hyphens', { templateId: 't', recipients: [{ ppnum: '123-1234-5678' }] }],
    ['vars that no template can hold', { templateId: 't', recipients: [{ ...KIM, vars: { at: new Date() } }] }],
  ])('with %s are refused as by the real client, and not remembered', async (_what, bad) => {
    await expect(messaging.send(bad as never)).rejects.toMatchObject({ code: 'request_invalid' })
    expect(messaging.sent).toEqual([])
  })

  test('lack no placeholder of a template that was created', async () => {
    const { id } = await messaging.templates.create({
      name: 'hi',
      components: [{ type: 'text', content: 'Hi {{name}}' }],
    })
    await expect(messaging.send({ templateId: id, recipients: [KIM] })).rejects.toThrow(/lacks "name"/)
    await expect(
      messaging.templates.create({ name: 'hi', components: [{ type: 'text', content: 'x' }] }),
    ).rejects.toMatchObject({ code: 'template_name_taken' })
  })

  test('of a list come in chunks, each ppnum once', async () => {
    const recipients = Array.from({ length: 2_500 }, (_, index) => ({
      ppnum: String(10_000_000_000 + (index % 2_400)),
    }))
    const report = await messaging.sendMany({ templateId: 't', recipients })
    expect(report).toMatchObject({ accepted: 2_400, duplicates: 100 })
    expect(messaging.sent.map((sent) => sent.recipients.length)).toEqual([1_000, 1_000, 400])
  })

  test('fail as told, as often as told', async () => {
    messaging.fail('rate_limited', { retryAfterMs: 2_000, times: 2 })
    const send = (): Promise<unknown> => messaging.send({ templateId: 't', recipients: [KIM] })
    await expect(send()).rejects.toMatchObject({ code: 'rate_limited', retryAfterMs: 2_000, status: 429 })
    await expect(send()).rejects.toMatchObject({ code: 'rate_limited' })
    await send()
    expect(messaging.sent).toHaveLength(1)
    expect(() => messaging.fail('no_such' as never)).toThrow(/no error code "no_such"/)
  })

  test('can be waited for, before and after they happen', async () => {
    const waiting = messaging.waitFor(({ templateId }) => templateId === 'later')
    await messaging.send({ templateId: 'later', recipients: [KIM] })
    expect((await waiting).templateId).toBe('later')
    expect((await messaging.waitFor(() => true)).templateId).toBe('later')
    await expect(messaging.waitFor(({ templateId }) => templateId === 'x', { timeoutMs: 1 })).rejects.toThrow(
      /none of 1 sends/,
    )
  })

  test('after an abort are not made', async () => {
    await expect(
      messaging.send({ templateId: 't', recipients: [KIM] }, { signal: AbortSignal.abort(new Error('stop')) }),
    ).rejects.toThrow('stop')
    expect(messaging.sent).toEqual([])
  })

  test('are forgotten by reset()', async () => {
    await messaging.send({ templateId: 't', recipients: [KIM] })
    messaging.fail('quota_exceeded')
    messaging.reset()
    expect(messaging.sent).toEqual([])
    await messaging.send({ templateId: 't', recipients: [KIM] })
  })
})

describe('events', () => {
  test('reach who reads, and count into the status', async () => {
    const { id } = await messaging.send({ templateId: 't', recipients: [KIM] })
    const reading = take(messaging.events({ sendRequestId: id }), 2)
    const done = messaging.waitFor(id)
    await messaging.emit({ type: 'recipient_delivered', recipient: KIM, sendRequestId: 'another' })
    await messaging.emit({ type: 'recipient_delivered', recipient: KIM })
    await messaging.emit({ type: 'request_completed' })
    expect((await reading).map(({ type }) => type)).toEqual(['recipient_delivered', 'request_completed'])
    expect(await done).toEqual({ id, status: 'completed', total: 1, delivered: 1, pendingConsent: 0, failed: 0 })
  })

  test('are read again from behind one, and the stream ends with close()', async () => {
    const first = await messaging.emit({ type: 'unknown' })
    const second = await messaging.emit({ type: 'unknown' })
    const stream = messaging.events({ after: first.eventId })
    expect((await stream.next()).value).toEqual(second)
    const last = stream.next()
    await messaging.close()
    expect(await last).toEqual({ done: true, value: undefined })
  })

  test('end with their signal, by its reason', async () => {
    const controller = new AbortController()
    const next = messaging.events({ signal: controller.signal }).next()
    controller.abort(new Error('enough'))
    await expect(next).rejects.toThrow('enough')
  })
})

describe('consumers', () => {
  test('have handled an event once emit() resolves', async () => {
    const seen: string[] = []
    const consumer = messaging.consume({
      name: 'c',
      handler: async (event: MessagingEvent) => void seen.push(event.type),
    })
    await messaging.emit({ type: 'consent_granted', recipient: KIM })
    expect(seen).toEqual(['consent_granted'])
    expect(consumer.lag).toBe(0)
    await consumer.stop()
    await consumer.closed
    await messaging.emit({ type: 'consent_denied' })
    expect(seen).toHaveLength(1)
  })

  test('make a dead letter of what fails every time, which can be replayed', async () => {
    const letters: unknown[] = []
    messaging.consume({
      name: 'c',
      maxAttempts: 3,
      handler: () => Promise.reject(new TypeError('no')),
      onDeadLetter: (letter) => letters.push(letter),
    })
    const event = await messaging.emit({ type: 'unknown' })
    const dead = messaging.deadLetters('c')
    expect(await dead.list()).toEqual([{ event, error: 'TypeError: no', attempts: 3, failedAt: expect.any(Date) }])
    expect(letters).toHaveLength(1)
    expect(await dead.replay(() => {})).toEqual({ replayed: 1, failed: 0 })
    expect(await dead.count()).toBe(0)
  })

  test('refuse the options that the real client refuses', () => {
    expect(() => messaging.consume({ name: 'a b', handler: () => {} })).toThrow(/name/)
  })
})

test('a double is a Messaging, and req.ppoppo uses it', async () => {
  const asMessaging: Messaging = messaging
  const auth = ppoppo({
    clientId: 'test_login_client',
    baseUrl: 'http://localhost:3000',
    issuer: 'http://localhost:1',
    messaging: asMessaging,
  })
  const app = express().use(auth)
  app.post('/order', auth.requireSignIn(), async (req, res) => {
    await req.ppoppo.messaging.sendToUser({ templateId: 'order', vars: { id: '1' } })
    res.sendStatus(204)
  })
  const agent = request.agent(app)
  await signInAs(agent, { sub: 'kim', ...KIM })
  await agent.post('/order').expect(204)
  expect(messaging.last()?.recipients).toEqual([{ ...KIM, vars: { id: '1' } }])
  await auth.close()
  expect(await messaging.health()).toMatchObject({ ok: true })
})

test('polls answer what they were given', async () => {
  await expect(messaging.polls.results('p')).rejects.toMatchObject({ code: 'not_found' })
  const answer = { responderPpnum: KIM.ppnum, selectedOption: 'Yes' }
  messaging.setPoll('p', { question: 'Coming?', responses: [answer] })
  expect(await messaging.polls.results('p')).toEqual({
    pollId: 'p',
    question: 'Coming?',
    results: [{ optionText: 'Yes', count: 1, percentage: 100 }],
    totalResponses: 1,
  })
  expect(await take(messaging.polls.responses('p'), 1)).toEqual([answer])
})

test('after close() calls are refused', async () => {
  await messaging.close()
  await expect(messaging.send({ templateId: 't', recipients: [KIM] })).rejects.toMatchObject({ code: 'closed' })
})
