import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import type { Messaging } from '../../src/messaging/types/methods.js'
import { until } from '../support/until.js'
import { rejectionOf, watchedSource } from './send-many/recording-send.js'
import { type MessagingWorld, RECEIPT, startWorld, TEMPLATE_ID } from './support/world.js'

const templateId = TEMPLATE_ID
let world: MessagingWorld
let client: Messaging
beforeEach(async () => {
  world = await startWorld()
  client = world.connect()
})
afterEach(() => world.close())

const underWay = (count: number) => until(() => world.pcs.calls.length >= count, `${count} calls are under way`)

/** PCS takes every send, and answers when `release` is called. */
function holdAnswers(): () => void {
  const held: (() => void)[] = []
  world.pcs.hold = (answer) => held.push(answer)
  return () => {
    world.pcs.hold = undefined
    for (const answer of held.splice(0)) answer()
  }
}

describe('close() while a list is being sent', () => {
  test('waits for sends that PCS has received, counts them as accepted, and starts no more', async () => {
    const release = holdAnswers()
    const source = watchedSource()
    const running = client.sendMany({ templateId, recipients: source, chunkSize: 10, concurrency: 4 })
    await underWay(4)
    const closing = client.close()
    await new Promise(setImmediate)
    release()
    const report = await running
    expect(report).toMatchObject({
      stoppedBy: { code: 'closed' },
      accepted: 40,
      unknown: 0,
      rejected: 0,
      resumeFrom: 4,
    })
    await closing
    expect([world.pcs.calls.length, source.isClosed]).toEqual([4, true])
    expect(report.notSent).toBe(source.read - 40)
  })

  test('waits for a limited time; sends not answered by then have an unknown outcome', async () => {
    holdAnswers()
    const running = client.sendMany({ templateId, recipients: watchedSource(), chunkSize: 10, concurrency: 2 })
    await underWay(2)
    await client.close()
    expect(await running).toMatchObject({ stoppedBy: { code: 'closed' }, accepted: 0, unknown: 20, resumeFrom: 2 })
  })

  test('counts a chunk that waits for a retry as not sent, and does not send it', async () => {
    world.pcs.answer = () => ({ code: 8, details: 'slow down', trailers: { 'retry-after': '5' } })
    const running = client.sendMany({ templateId, recipients: watchedSource(), chunkSize: 10, concurrency: 2 })
    await underWay(2)
    await client.close()
    expect(await running).toMatchObject({ unknown: 0, rejected: 20, resumeFrom: 0 })
    expect(world.pcs.calls.length).toBe(2)
  })

  test('ends several runs, and refuses a new one', async () => {
    const release = holdAnswers()
    const request = { templateId, chunkSize: 10, concurrency: 1 } as const
    const runs = [1, 2, 3].map(() => client.sendMany({ ...request, recipients: watchedSource() }))
    await underWay(3)
    const closing = client.close()
    expect(await rejectionOf(client.sendMany({ ...request, recipients: watchedSource() }))).toMatchObject({
      code: 'closed',
    })
    release()
    for (const report of await Promise.all(runs)) expect(report).toMatchObject({ accepted: 10, unknown: 0 })
    await closing
    expect(world.pcs.calls.length).toBe(3)
  })

  test('while one recipient after another is tried: those that were accepted count, the rest can be resumed', async () => {
    world.pcs.answer = ({ request }) =>
      (request['recipients'] as unknown[]).length > 1 ? { code: 5, details: 'no such recipient' } : { ok: RECEIPT }
    let closing: Promise<void> | undefined
    const answer = world.pcs.answer
    world.pcs.answer = (call) => {
      if (world.pcs.calls.length === 6) closing = client.close()
      return answer(call)
    }
    const report = await client.sendMany({ templateId, recipients: watchedSource(32), chunkSize: 32 })
    await closing
    expect(report).toMatchObject({ stoppedBy: { code: 'closed' }, unknown: 0 })
    expect(report.accepted).toBeGreaterThan(0)
    const left = (report.resumeParts ?? []).reduce((sum, { from, to }) => sum + to - from, 0)
    expect([report.accepted + report.rejected, left]).toEqual([32, report.rejected])
  })
})
