import { readFileSync } from 'node:fs'
import { status } from '@grpc/grpc-js'
import { describe, expect, test } from '@jest/globals'
import type { PcsFault, PcsFaultRule, Sandbox } from '../../src/index.js'
import { pcsFaultKindsOf } from '../../src/pcs/faults/pcs-fault.js'
import { PCS_METHODS } from '../../src/pcs/wire/methods.js'
import { connect, type Message, numbers, pcsSandbox, refusalOf, SEND, STATS, STATUS } from './client.js'

const send = { template_id: 'tpl_sandbox_welcome', recipients: numbers(1) }

async function withFault(fault: PcsFault, method: PcsFaultRule['method'] = 'CreateSendRequest') {
  const { sandbox, pcs } = await pcsSandbox()
  sandbox.control.pcs.inject({ method, fault })
  return { sandbox, pcs, client: await connect(pcs) }
}

const sendsOf = (sandbox: Sandbox): number => sandbox.control.pcs.sends.length

describe('faults of a call', () => {
  test('status: by name or number, with details and trailers; the next call is right', async () => {
    const trailers = { 'retry-after-ms': '7', 'retry-after': '1' }
    const { sandbox, client } = await withFault({ kind: 'status', code: 'RESOURCE_EXHAUSTED', details: 'so', trailers })
    expect(await refusalOf(client.call(SEND, send))).toEqual({ code: 8, details: 'so', hints: ['7', '1'] })
    expect(sendsOf(sandbox)).toBe(0)
    await client.call(SEND, send)
    sandbox.control.pcs.inject({ method: 'GetAppStats', fault: { kind: 'status', code: 13 }, times: 2 })
    for (let i = 0; i < 2; i++) expect((await refusalOf(client.call(STATS, {}))).code).toBe(status.INTERNAL)
    await client.call(STATS, {})
    expect(sandbox.control.pcs.counters).toMatchObject({ CreateSendRequest: 2, GetAppStats: 3, CreateTemplate: 0 })
  })

  test('a status after the work: the client hears of a failure, and the send is there', async () => {
    const { sandbox, client } = await withFault({ kind: 'status', code: 14, afterProcessing: true })
    expect((await refusalOf(client.call(SEND, send))).code).toBe(status.UNAVAILABLE)
    expect(sendsOf(sandbox)).toBe(1)
  })

  test('delay: the right answer, late', async () => {
    const { client } = await withFault({ kind: 'delay', delayMs: 300 })
    const startedAt = Date.now()
    await client.call(SEND, send)
    expect(Date.now() - startedAt).toBeGreaterThanOrEqual(299)
  })

  test.each([true, false])(
    'drop (after the work: %s): the connection breaks, and others live',
    async (afterProcessing) => {
      const { sandbox, pcs, client } = await withFault({ kind: 'drop', afterProcessing })
      const other = await connect(pcs)
      await other.call(STATS, {})
      const refusal = await refusalOf(client.call(SEND, send))
      expect(refusal).toMatchObject({ code: status.UNAVAILABLE, details: expect.stringMatching(/ECONNRESET|dropped/) })
      expect(sendsOf(sandbox)).toBe(afterProcessing ? 1 : 0)
      expect(sandbox.control.pcs.connections).toBe(1)
      await other.call(STATS, {})
      await client.call(SEND, send)
    },
  )

  test.each([
    [2, status.INTERNAL],
    [7, status.UNAVAILABLE],
    [8, status.CANCELLED],
    [11, status.RESOURCE_EXHAUSTED],
  ])('rst with code %s arrives as status %s, and the connection lives', async (rstCode, code) => {
    const { sandbox, client } = await withFault({ kind: 'rst', rstCode, afterProcessing: true })
    sandbox.control.pcs.inject({ method: 'CreateSendRequest', fault: { kind: 'rst', rstCode, afterProcessing: true } })
    expect((await refusalOf(client.call(SEND, send))).code).toBe(code)
    expect(sandbox.control.pcs.connections).toBe(1)
    sandbox.control.pcs.clearFaults()
    await client.call(STATS, {})
  })

  test('hang: no answer before the deadline, and close() is not held up', async () => {
    const { sandbox, client } = await withFault({ kind: 'hang' })
    expect((await refusalOf(client.call(SEND, send, { deadlineMs: 200 }))).code).toBe(status.DEADLINE_EXCEEDED)
    sandbox.control.pcs.inject({ method: 'GetAppStats', fault: { kind: 'hang' } })
    sandbox.control.pcs.inject({ method: 'GetSendRequestStatus', fault: { kind: 'delay', delayMs: 60_000 } })
    const hanging = [refusalOf(client.call(STATS, {})), refusalOf(client.call(STATUS, {}))]
    while (sandbox.control.pcs.counters.GetSendRequestStatus === 0) await new Promise(setImmediate)
    await sandbox.close()
    expect((await Promise.all(hanging)).map(({ code }) => code)).toEqual([14, 14])
  })

  test('expire-token: refused until a new token is fetched', async () => {
    const { pcs, client } = await withFault({ kind: 'expire-token' })
    for (let i = 0; i < 3; i++) expect((await refusalOf(client.call(SEND, send))).code).toBe(status.UNAUTHENTICATED)
    await (await connect(pcs)).call(SEND, send)
  })

  test('fail-request: accepted, then FAILED with all its recipients', async () => {
    const { sandbox, client } = await withFault({ kind: 'fail-request' })
    const { id } = await client.call(SEND, { ...send, recipients: numbers(3) })
    const ask = (): Promise<Message> => client.call(STATUS, { id })
    while ((await ask())['status'] !== 'FAILED');
    expect(await ask()).toMatchObject({ total: 3, delivered: 0, failed: 3 })
    expect(sandbox.control.pcs.events.at(-1)).toMatchObject({ summary: { delivered: 0, failed: 3 } })
  })

  test('unknown-enum: a status that no documentation has', async () => {
    const { sandbox, client } = await withFault({ kind: 'unknown-enum' })
    const { id, status: first } = await client.call(SEND, send)
    sandbox.control.pcs.inject({ method: 'GetSendRequestStatus', fault: { kind: 'unknown-enum' } })
    expect([first, (await client.call(STATUS, { id }))['status']]).toEqual([99, 99])
  })
})

describe('a fault rule', () => {
  test.each<[unknown, RegExp]>([
    [null, /must be an object with "method" and "fault"/],
    [{ method: 'Send', fault: { kind: 'drop' } }, /"method" must be one of CreateSendRequest, /],
    [
      { method: 'GetAppStats', fault: { kind: 'fail-request' } },
      /"fault.kind" for method "GetAppStats" must be one of/,
    ],
    [
      { method: 'GetAppStats', fault: { kind: 'status' } },
      /"fault.code" is missing: kind "status" needs a gRPC status/,
    ],
    [
      { method: 'GetAppStats', fault: { kind: 'status', code: 'OK' } },
      /"fault.code" must be a gRPC status other than OK/,
    ],
    [{ method: 'GetAppStats', fault: { kind: 'status', code: 1, trailers: { A: 'x' } } }, /"fault.trailers" must be/],
    [{ method: 'GetAppStats', fault: { kind: 'delay' } }, /"fault.delayMs" is missing/],
    [{ method: 'GetAppStats', fault: { kind: 'rst', rstCode: 14 } }, /"fault.rstCode" must be an HTTP\/2 error code/],
    [{ method: 'GetAppStats', fault: { kind: 'drop', after: 1 } }, /"fault.after" is not a known field/],
    [{ method: 'GetAppStats', fault: { kind: 'drop' }, times: 0 }, /"times" must be a positive whole number/],
    [
      { method: 'StreamSendRequestEvents', fault: { kind: 'end-every', everyMs: 0 } },
      /"fault.everyMs" must be a positive/,
    ],
  ])('%j is refused', async (rule, message) => {
    const { sandbox } = await pcsSandbox()
    expect(() => sandbox.control.pcs.inject(rule as PcsFaultRule)).toThrow(message)
  })

  test('waits until it is drawn or cleared, also over HTTP', async () => {
    const { sandbox } = await pcsSandbox()
    const post = async (path: string, body: unknown): Promise<{ [name: string]: unknown }> => {
      const headers = { 'Content-Type': 'application/json' }
      const init = { method: 'POST', headers, body: JSON.stringify(body) }
      return JSON.parse(await (await fetch(`${sandbox.issuer}/__sandbox/pcs/${path}`, init)).text())
    }
    const rule = { method: 'GetAppStats', fault: { kind: 'drop' }, times: 'until-cleared' }
    expect(await post('faults', rule)).toMatchObject({ pcs: { pendingFaults: [rule] } })
    expect(await post('faults', { method: 'x' })).toMatchObject({ error: expect.stringContaining('"method" must be') })
    expect(await post('clear-faults', { method: 'CreateTemplate' })).toMatchObject({ pcs: { pendingFaults: [rule] } })
    expect(await post('clear-faults', {})).toMatchObject({ pcs: { pendingFaults: [] } })
    sandbox.control.pcs.inject({ method: 'GetAppStats', fault: { kind: 'drop' } })
    sandbox.control.reset()
    expect(sandbox.control.pcs.pendingFaults).toEqual([])
  })

  test('every method and kind stands in the README', () => {
    const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8')
    const kinds = PCS_METHODS.flatMap((method) => pcsFaultKindsOf(method))
    for (const name of [...PCS_METHODS, ...kinds]) expect(readme).toContain(`\`${name}\``)
  })
})
