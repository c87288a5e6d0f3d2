import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { resolveMessagingConfig } from '../../../src/config/messaging.js'
import { ERROR_CATALOGUE } from '../../../src/errors.js'
import { systemMessagingRuntime } from '../../../src/messaging/lib/runtime.js'
import { pullFiles } from '../../../src/messaging/pull/reflection.js'
import { give, type HostileAnswer, hostileAnswers } from './hostile-answer.js'
import {
  call,
  connect,
  type Outcome,
  outcomeOf,
  SECRET,
  startTokenEndpoint,
  type TokenEndpoint,
} from './hostile-client.js'
import { type RawServer, type Script, startRawServer } from './raw-server.js'

/** Of what is not answered at all. */
const DEADLINE_MS = 300

let tokens: TokenEndpoint
let server: RawServer
let script: Script = () => {}

beforeAll(async () => {
  tokens = await startTokenEndpoint()
  server = await startRawServer((stream, index, self) => script(stream, index, self))
})
afterAll(async () => {
  await server.close()
  await tokens.close()
})

const EXCUSE = new Error('nobody waits for an event any more')

/** Waits for an event until `signal`: after most ends a stream is opened again. */
async function firstEvent(messaging: ReturnType<typeof connect>, signal: AbortSignal): Promise<void> {
  try {
    await messaging.events({ signal }).next()
  } catch (error) {
    if (error !== EXCUSE) throw error
  }
}

/** Everything that can be asked of a server, at once. */
async function askEverything(): Promise<readonly Outcome[]> {
  const messaging = connect(server.url, tokens.url, { deadlineMs: DEADLINE_MS, maxAttempts: 2 })
  const config = resolveMessagingConfig({ apiUrl: server.url, tokenUrl: tokens.url, deadlineMs: DEADLINE_MS }, {})
  const leaving = new AbortController()
  const waiting = outcomeOf(firstEvent(messaging, leaving.signal))
  const outcomes = await Promise.all([
    outcomeOf(call(messaging, 'status')),
    outcomeOf(call(messaging, 'send')),
    outcomeOf(messaging.health({ deadlineMs: DEADLINE_MS })),
    outcomeOf(pullFiles(config, systemMessagingRuntime, { token: async () => 'token-0' })),
  ])
  leaving.abort(EXCUSE)
  outcomes.push(await waiting)
  await messaging.close()
  return outcomes
}

function expectSettled(outcomes: readonly Outcome[]): void {
  for (const { outcome, error } of outcomes) {
    if (outcome === 'ok') continue
    expect(Object.keys(ERROR_CATALOGUE)).toContain(outcome)
    expect(error?.message).toMatch(/^\P{Cc}{10,1500}$/u)
    expect(error?.message).not.toMatch(/undefined|NaN|token-\d/)
    expect(error?.message).not.toContain(SECRET)
  }
}

const GRPC = { 'content-type': 'application/grpc' }
const answer = (given: Partial<HostileAnswer>): HostileAnswer => ({
  status: 200,
  headers: GRPC,
  frames: [{ flag: 0, content: 'good', lie: 0 }],
  trailers: { 'grpc-status': '0' },
  ending: 'trailers',
  resetCode: 0,
  ...given,
})
const compressed = (encoding: string | undefined): HostileAnswer =>
  answer({
    headers: { ...GRPC, ...(encoding === undefined ? {} : { 'grpc-encoding': encoding }) },
    frames: [{ flag: 1, content: 'gzip', lie: 0 }],
  })

async function outcomesOf(given: HostileAnswer, deadlineMs = 30_000) {
  script = give(given)
  const messaging = connect(server.url, tokens.url, { deadlineMs, maxAttempts: 2 })
  const outcomes = [await outcomeOf(call(messaging, 'status')), await outcomeOf(call(messaging, 'send'))]
  await messaging.close()
  const [status, send] = outcomes.map(({ outcome }) => outcome)
  return { status, send }
}

describe('a response that is marked as compressed', () => {
  const UNREADABLE = { status: 'messaging_response_invalid', send: 'send_outcome_unknown' }

  test.each([
    ['without saying how', undefined],
    ['with "identity", which is no compression', 'identity'],
    ['in a way nobody knows', 'br'],
    ['with an empty name', ''],
    ['with another method than the named one', 'deflate'],
  ])('%s cannot be read, and the process goes on', async (_, encoding) => {
    expect(await outcomesOf(compressed(encoding))).toEqual(UNREADABLE)
  })

  test('and is compressed is read', async () => {
    expect(await outcomesOf(compressed('gzip'))).toEqual({ status: 'ok', send: 'ok' })
  })
})

describe('an invalid grpc-status', () => {
  test.each(['abc', '-1', '17', '99999999999999999999', '0, 13', '1.5'])('%s counts as unknown', async (status) => {
    const given = answer({ frames: [], trailers: { 'grpc-status': status, 'grpc-message': '%E0%A4%A' } })
    expect(await outcomesOf(given)).toEqual({ status: 'messaging_response_invalid', send: 'send_outcome_unknown' })
  })
})

describe('a server that reports OK', () => {
  test('without a response: the outcome of a send is unknown', async () => {
    expect(await outcomesOf(answer({ frames: [] }))).toEqual({
      status: 'messaging_response_invalid',
      send: 'send_outcome_unknown',
    })
  })

  // grpc-js waits for somebody to read the second one.
  test('with two responses: the outcome of a send is unknown', async () => {
    const frame = { flag: 0, content: 'good', lie: 0 } as const
    expect(await outcomesOf(answer({ frames: [frame, frame] }), 3_000)).toEqual({
      status: 'deadline_exceeded',
      send: 'send_outcome_unknown',
    })
  })
})

test('whatever a server answers, every call settles with a readable error, and the process survives', async () => {
  await fc.assert(
    fc.asyncProperty(hostileAnswers, async (given) => {
      script = give(given)
      expectSettled(await askEverything())
    }),
    { seed: 20261128, numRuns: 60, endOnFailure: true },
  )
})
