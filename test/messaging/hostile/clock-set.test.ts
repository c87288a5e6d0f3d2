import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import type { Messaging } from '../../../src/messaging/types/methods.js'
import { allowed } from '../../support/allowed.js'
import { elapse } from '../../support/until.js'
import { call, connect, type Operation, outcomeOf, startTokenEndpoint, type TokenEndpoint } from './hostile-client.js'
import { answerWell, type RawServer, type Script, startRawServer } from './raw-server.js'

/*
 * M13: somebody sets the clock of this machine while a call is under way. What lasts does so by a clock that is never
 * set. Node's own `Date.now` is what is set here, for grpc-js goes by it, too.
 */

const HOUR_MS = 3_600_000
const realNow = Date.now
let tokens: TokenEndpoint
let pcs: RawServer
let script: Script
let client: Messaging
const setClock = (byMs: number): void => {
  Date.now = () => realNow() + byMs
}

beforeAll(async () => {
  tokens = await startTokenEndpoint()
})
beforeEach(async () => {
  script = answerWell
  pcs = await startRawServer((...given) => script(...given))
  client = connect(pcs.url, tokens.url, { deadlineMs: 2_000 }, { random: Math.random })
})
afterEach(async () => {
  Date.now = realNow
  tokens.pause = async () => {}
  tokens.expiresIn = 3_600
  await client.close()
  await pcs.close()
})
afterAll(() => tokens.close())

/** How it ended, and whether at about its time: 2 s, and what a busy machine adds. */
async function endOf(work: Promise<unknown>): Promise<string> {
  const beganAt = performance.now()
  const { outcome } = await outcomeOf(work)
  const tookMs = performance.now() - beganAt
  return tookMs > 1_500 && tookMs < 15_000 ? outcome : `${outcome} after ${Math.round(tookMs)} ms`
}

describe.each<[string, number]>([
  ['back', -HOUR_MS],
  ['forward', HOUR_MS],
])('M13: the clock is set %s an hour during a call', (_, byMs) => {
  test.each<[Operation, string]>([
    ['status', 'deadline_exceeded'],
    ['send', 'send_outcome_unknown'],
  ])(
    '%s: a deadline of 2 s holds if PCS does not respond',
    async (operation, outcome) => {
      await call(client, operation)
      script = () => setClock(byMs)
      expect(await endOf(call(client, operation))).toBe(outcome)
    },
    30_000,
  )

  test('a deadline of 2 s holds if no token arrives', async () => {
    tokens.pause = () => {
      setClock(byMs)
      return new Promise(() => {})
    }
    expect(await endOf(call(client, 'send'))).toBe('deadline_exceeded')
  })

  test('a deadline of 2 s holds between two attempts', async () => {
    script = (stream) => {
      setClock(byMs)
      stream.close(2)
    }
    const many = connect(pcs.url, tokens.url, { deadlineMs: 2_000, maxAttempts: 100 }, { random: () => 0.9 })
    const beganAt = performance.now()
    expect(await outcomeOf(call(many, 'status'))).toMatchObject({ outcome: 'messaging_unavailable' })
    expect(performance.now() - beganAt).toBeLessThan(await allowed(15_000))
    await many.close()
  })

  test('a response that arrives in time is accepted', async () => {
    script = (stream) => {
      setClock(byMs)
      setTimeout(() => answerWell(stream), 300)
    }
    expect(await outcomeOf(call(client, 'send'))).toEqual({ outcome: 'ok' })
  })

  test('a token is used until it expires, and no longer', async () => {
    tokens.expiresIn = 2
    const before = tokens.granted
    await call(client, 'send')
    setClock(byMs)
    await call(client, 'send')
    expect(tokens.granted - before).toBe(1)
    // Renewed at half of its life, and surely at its end.
    await elapse(2_100)
    await call(client, 'send')
    expect(tokens.granted - before).toBe(2)
  })
})
