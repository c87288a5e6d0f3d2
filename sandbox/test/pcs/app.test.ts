import { status } from '@grpc/grpc-js'
import { describe, expect, test } from '@jest/globals'
import type { PcsSwitches } from '../../src/index.js'
import {
  connect,
  type Message,
  numbers,
  pcsSandbox,
  type RawClient,
  type Refusal,
  refusalOf,
  SEND,
  STATS,
} from './client.js'

const WELCOME = 'tpl_sandbox_welcome'

describe('the app', () => {
  const twice = async (client: RawClient): Promise<Refusal> => {
    await client.call(STATS, {})
    return refusalOf(client.call(STATS, {}))
  }

  test.each<[Partial<PcsSwitches>, unknown]>([
    [{ pcsRetryAfterMs: 1500 }, ['1500', '2']],
    [{ pcsRetryAfterMs: 0 }, ['0', '0']],
    [{ pcsRetryAfterMs: 1500, pcsRetryHint: 'ms' }, ['1500', undefined]],
    [{ pcsRetryAfterMs: 1500, pcsRetryHint: 'seconds' }, [undefined, '2']],
    [{ pcsRetryHint: 'none' }, [undefined, undefined]],
    [{}, [expect.stringMatching(/^[1-5]\d{4}$|^60000$/), expect.stringMatching(/^[1-6]\d$/)]],
  ])('has a rate limit; with %j the hints are %j', async (switches, hints) => {
    const { sandbox, pcs } = await pcsSandbox({ pcsRatePerMinute: 1, ...switches })
    const client = await connect(pcs)
    expect(await twice(client)).toMatchObject({ code: status.RESOURCE_EXHAUSTED, hints })
    sandbox.control.pcs.reset()
    await expect(client.call(STATS, {})).resolves.toBeDefined()
  })

  test('has a monthly quota, without a hint unless asked for', async () => {
    const { sandbox, pcs } = await pcsSandbox({ pcsMonthlyLimit: 3, pcsRetryAfterMs: 10 })
    const client = await connect(pcs)
    const send = (count: number): Promise<Message> =>
      client.call(SEND, { template_id: WELCOME, recipients: numbers(count) })
    await send(2)
    const refusal = { code: status.RESOURCE_EXHAUSTED, details: 'monthly quota of 3 messages' }
    expect(await refusalOf(send(2))).toEqual({ ...refusal, hints: [undefined, undefined] })
    sandbox.control.set({ pcsQuotaHint: true })
    expect(await refusalOf(send(2))).toEqual({ ...refusal, hints: ['10', '1'] })
    await send(1)
    expect(await client.call(STATS, {})).toMatchObject({ current_month_usage: 3, monthly_message_limit: 3 })
    sandbox.control.set({ pcsMonthlyLimit: null })
    await send(1000)
    expect(await client.call(STATS, {})).not.toHaveProperty('monthly_message_limit')
  })

  test.each([
    ['suspended', 'PERMISSION_DENIED', 'app is suspended'],
    ['ip-not-allowed', 'PERMISSION_DENIED', 'IP address is not allowed'],
    ['scope-missing', 'PERMISSION_DENIED', 'scope is missing'],
    ['not-approved', 'FAILED_PRECONDITION', 'app is not approved'],
  ] as const)('%s: %s', async (pcsAppState, code, details) => {
    const { sandbox, pcs } = await pcsSandbox({ pcsAppState })
    const client = await connect(pcs)
    expect(await refusalOf(client.call(STATS, {}))).toMatchObject({ code: status[code], details })
    sandbox.control.set({ pcsAppState: 'active' })
    expect(await client.call(STATS, {})).toMatchObject({ is_active: true, rate_limit_per_min: 6000, tier: 'sandbox' })
  })
})

describe('polls', () => {
  test('answers trickle in, add up to 100 percent, and are read page by page', async () => {
    const { sandbox, pcs } = await pcsSandbox()
    const client = await connect(pcs)
    const { id } = await client.call(SEND, { template_id: 'tpl_sandbox_poll', recipients: numbers(100) })
    const results = (): Promise<Message> => client.call('ExternalAppService/GetPollResults', { poll_id: id })
    const totals: unknown[] = []
    // Nine of ten numbers answer.
    while (totals.at(-1) !== 90) totals.push((await results())['total_responses'])
    expect(new Set(totals).size).toBeGreaterThan(2)
    const { poll_id: pollId, results: options } = await results()
    expect(pollId).toBe(String(id).replace('snd_', 'poll_'))
    const shares = (options as { percentage: number }[]).map(({ percentage }) => percentage)
    expect(shares.reduce((sum, share) => sum + share, 0)).toBeCloseTo(100)

    const responders = new Set<unknown>()
    let cursor: unknown
    for (let page = 0; page < 3; page++) {
      const asked = { poll_id: pollId, limit: 40, ...(cursor !== undefined && { cursor }) }
      const answer = await client.call('ExternalAppService/ListPollResponses', asked)
      for (const response of answer['responses'] as Message[]) responders.add(response['responder_ppnum'])
      expect(answer['has_more']).toBe(page < 2)
      cursor = answer['next_cursor']
    }
    expect([responders.size, cursor]).toEqual([90, undefined])
    sandbox.control.pcs.answerPoll(String(pollId), '77700000009', 'Pizza')
    expect(await results()).toMatchObject({ total_responses: 91 })
  })

  test('an unknown poll is NOT_FOUND, a made-up cursor INVALID_ARGUMENT', async () => {
    const { pcs } = await pcsSandbox()
    const client = await connect(pcs)
    const none = client.call('ExternalAppService/GetPollResults', { poll_id: 'poll_none' })
    expect(await refusalOf(none)).toMatchObject({ code: status.NOT_FOUND })
    const { id } = await client.call(SEND, { template_id: 'tpl_sandbox_poll', recipients: numbers(1) })
    const list = client.call('ExternalAppService/ListPollResponses', { poll_id: id, cursor: 'AAAA' })
    expect(await refusalOf(list)).toMatchObject({ code: status.INVALID_ARGUMENT })
  })
})
