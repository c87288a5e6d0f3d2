import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import type { Messaging } from '../../../src/messaging/types/methods.js'
import { until } from '../../support/until.js'
import { createFastRuntime, type MessagingWorld, REQUEST, startWorld } from '../support/world.js'

let world: MessagingWorld
let client: Messaging
beforeEach(async () => {
  world = await startWorld({ prefix: '/ext' })
  client = world.connect()
})
afterEach(() => world.close())

describe('a call', () => {
  test('goes to the path of the URL and the method', async () => {
    await client.send(REQUEST)
    expect(world.pcs.calls[0]?.call.getPath()).toBe('/ext/chat.external.ExternalMessageService/CreateSendRequest')
  })

  test('to a wrong path prefix fails with an error that names the prefix', async () => {
    const elsewhere = world.connect({ apiUrl: world.pcs.url.replace('/ext', '/wrong') })
    await expect(elsewhere.send(REQUEST)).rejects.toMatchObject({
      code: 'messaging_misconfigured',
      grpcCode: 12,
      message: expect.stringContaining('PCS_API_URL is wrong (now "/wrong"'),
    })
  })

  test('to an unreachable host fails with an error that names the URL', async () => {
    const elsewhere = world.connect({ apiUrl: 'http://127.0.0.1:1', maxAttempts: 1 })
    await expect(elsewhere.send(REQUEST)).rejects.toMatchObject({
      code: 'messaging_unavailable',
      retryable: true,
      message: expect.stringContaining('http://127.0.0.1:1'),
    })
  })

  test('fails at its deadline; a send then has an unknown outcome', async () => {
    await client.send(REQUEST)
    world.pcs.answer = () => undefined
    await expect(client.status('snd_1', { deadlineMs: 1_000 })).rejects.toMatchObject({ code: 'deadline_exceeded' })
    await expect(client.send(REQUEST, { deadlineMs: 1_000 })).rejects.toMatchObject({
      code: 'send_outcome_unknown',
      retryable: false,
      known: { templateId: 'tpl_01HQ', recipients: 1, attempts: 1 },
    })
    await until(() => world.pcs.cancelled.length === 2)
  })

  test.each([0, -1, Number.NaN, Number.POSITIVE_INFINITY])('rejects a deadline of %d', async (deadlineMs) => {
    await expect(client.send(REQUEST, { deadlineMs })).rejects.toMatchObject({ code: 'request_invalid' })
  })

  test('rejects with the reason of its signal, is cancelled at the server, and unsubscribes from the signal', async () => {
    world.pcs.answer = () => undefined
    const controller = new AbortController()
    const listeners = new Set<unknown>()
    const { signal } = controller
    const add = signal.addEventListener.bind(signal)
    const remove = signal.removeEventListener.bind(signal)
    signal.addEventListener = (type: string, listener: () => void) => {
      listeners.add(listener)
      add(type, listener)
    }
    signal.removeEventListener = (type: string, listener: () => void) => {
      listeners.delete(listener)
      remove(type, listener)
    }
    const call = client.send(REQUEST, { signal })
    await until(() => world.pcs.calls.length === 1)
    controller.abort()
    await expect(call).rejects.toMatchObject({ name: 'AbortError' })
    expect(listeners.size).toBe(0)
    await until(() => world.pcs.cancelled.length === 1)
    await expect(client.send(REQUEST, { signal })).rejects.toBe(signal.reason)
    expect(world.pcs.calls).toHaveLength(1)
  })

  test('in flight is ended by close(), and none can be started after it', async () => {
    world.pcs.answer = () => undefined
    const call = client.send(REQUEST)
    await until(() => world.pcs.calls.length === 1)
    await client.close()
    await client.close()
    await expect(call).rejects.toMatchObject({ code: 'closed' })
    await expect(client.send(REQUEST)).rejects.toMatchObject({ code: 'closed' })
    await expect(client.health()).rejects.toMatchObject({ code: 'closed' })
    await until(() => world.pcs.cancelled.length === 1)
  })

  test('continues when another client that shares its channel is closed', async () => {
    const other = world.connect()
    await Promise.all([client.send(REQUEST), other.send(REQUEST)])
    expect(world.pcs.calls[0]?.call.getPeer()).toBe(world.pcs.calls[1]?.call.getPeer())
    await client.close()
    expect(await other.send(REQUEST)).toMatchObject({ id: 'snd_1' })
    expect(world.pcs.calls[2]?.call.getPeer()).toBe(world.pcs.calls[0]?.call.getPeer())
  })
})

describe('a retry', () => {
  test.each([
    [{ 'retry-after-ms': '120' }, 126],
    [{ 'retry-after': '2' }, 2_100],
    [{ 'retry-after-ms': '50', 'retry-after': '9' }, 53],
  ])('waits as long as the server asks: %j', async (trailers, expected) => {
    const waited: number[] = []
    const fast = world.connect({}, createFastRuntime(waited))
    let count = 0
    world.pcs.answer = () => (count++ === 0 ? { code: 8, trailers } : { ok: { id: 'snd_1' } })
    expect(await fast.send(REQUEST)).toMatchObject({ id: 'snd_1' })
    expect(waited).toContain(expected)
    expect(world.pcs.calls).toHaveLength(2)
  })

  test('does not wait past the deadline', async () => {
    world.pcs.answer = () => ({ code: 8, details: 'slow down', trailers: { 'retry-after': '60' } })
    await expect(client.send(REQUEST)).rejects.toMatchObject({
      code: 'rate_limited',
      retryable: true,
      retryAfterMs: 60_000,
      grpcCode: 8,
    })
    expect(world.pcs.calls).toHaveLength(1)
  })

  test('is not made if the failure may be a quota', async () => {
    world.pcs.answer = () => ({ code: 8, details: 'monthly quota' })
    await expect(client.status('snd_1')).rejects.toMatchObject({ code: 'quota_exceeded', retryable: false })
    expect(world.pcs.calls).toHaveLength(1)
  })

  test('of a read is made up to four attempts, with full jitter', async () => {
    const waited: number[] = []
    world.pcs.answer = () => ({ code: 14, details: 'upstream' })
    await expect(world.connect({}, createFastRuntime(waited)).status('snd_1')).rejects.toMatchObject({
      code: 'messaging_unavailable',
    })
    expect(world.pcs.calls).toHaveLength(4)
    expect(waited).toEqual([100, 200, 400])
  })

  test('of a send that may have been accepted is never made', async () => {
    world.pcs.answer = () => ({ code: 14, details: 'No connection established' })
    await expect(client.send(REQUEST)).rejects.toMatchObject({ code: 'send_outcome_unknown', grpcCode: 14 })
    expect(world.pcs.calls).toHaveLength(1)
  })

  test('uses up a budget: when everything fails, calls are soon tried only once', async () => {
    const fast = world.connect({}, createFastRuntime())
    world.pcs.answer = () => ({ code: 14 })
    for (let count = 0; count < 10; count++) await fast.status('snd_1').catch(() => {})
    expect(world.pcs.calls).toHaveLength(20)
  })
})

test.each([
  [3, 'request_invalid', 400],
  [5, 'not_found', 404],
  [6, 'template_name_taken', 409],
  [7, 'permission_denied', 403],
  [9, 'precondition_failed', 409],
  [11, 'request_invalid', 400],
])('gRPC status %d rejects with %s, at once and in one line', async (code, expected, status) => {
  world.pcs.answer = () => ({ code, details: `what\nthe server said of Bearer abc123` })
  const error = await client.send(REQUEST).catch((thrown: unknown) => thrown)
  expect(error).toMatchObject({ code: expected, status, grpcCode: code, retryable: false })
  expect(String(error)).toMatch(/^[^\n]*what the server said of Bearer \[removed\][^\n]*$/)
  expect(world.pcs.calls).toHaveLength(1)
})
