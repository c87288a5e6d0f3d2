import { describe, expect, test } from '@jest/globals'
import type { CallFailure } from '../../../src/messaging/call/status.js'
import {
  judgeEnd,
  NO_STREAK,
  pauseMs,
  type Streak,
  type StreamEnd,
} from '../../../src/messaging/events/reopen-policy.js'

const END: StreamEnd = { isPlanned: false, hadCursor: false, hadProgress: false, lastedMs: 40, connectedMs: 0 }

function failure(code: number, more: Partial<CallFailure> = {}): CallFailure {
  return { code, details: 'told', isFromPeer: true, isGrpc: true, ...more }
}

const page = (status: number): CallFailure =>
  failure(2, { details: `Received HTTP status code ${status}`, isGrpc: false })

/** What comes of it, in short: `fail: ...`, or how long the next opening waits. */
function come(end: Partial<StreamEnd>, before: Partial<Streak> = {}): string {
  const verdict = judgeEnd({ ...END, ...end }, { ...NO_STREAK, ...before })
  return verdict.next === 'fail' ? `fail: ${verdict.because}` : verdict.wait
}

const PARSE = 'Response message parsing error: index out of range: 12 + 100 > 14'
const LARGE = 'Received message larger than max (20000000 vs 16777216)'

describe('the count of consecutive failures', () => {
  /** The streak after ends, each as one of the lines. */
  function streakOf(...ends: readonly Partial<StreamEnd>[]): Streak {
    return ends.reduce<Streak>((streak, end) => {
      const verdict = judgeEnd({ ...END, ...end }, streak)
      return verdict.next === 'reopen' ? verdict.streak : streak
    }, NO_STREAK)
  }
  const refused = { failure: failure(16) }
  const doubtful = { failure: failure(2) }
  const endedWell = { lastedMs: 20_000, connectedMs: 19_900 }

  test('a token that is accepted in between makes the next refusal the first one', () => {
    expect(come(refused, streakOf(refused))).toBe('fail: answer')
    expect(come(refused, streakOf(refused, endedWell))).toBe('none')
    expect(come(refused, streakOf(refused, { failure: failure(14), connectedMs: 9_000 }))).toBe('none')
  })

  test('a refusal after headers still counts as one', () => {
    expect(come(refused, streakOf({ ...refused, connectedMs: 5 }))).toBe('fail: answer')
  })

  test('a stream that was connected and ended without an error resets the doubts', () => {
    const four = [doubtful, doubtful, doubtful, doubtful]
    expect(come({ ...doubtful, hadCursor: true }, streakOf(...four))).toBe('fail: cursor_failed')
    expect(come({ ...doubtful, hadCursor: true }, streakOf(...four, endedWell))).toBe('doubt')
  })
})

describe('M19: a certificate that is not accepted', () => {
  const details = 'No connection established. Last error: Error: certificate has expired. Resolution note: '
  const end = { failure: failure(14, { details, isFromPeer: false, isGrpc: false }) }

  test('ends a stream where PCS has never answered, and none where it has', () => {
    expect(come({ ...end, isUnanswered: true })).toBe('fail: answer')
    expect(come({ ...end, isUnanswered: false })).toBe('backoff')
  })

  test('is not recognized from a server’s text or a host name', () => {
    const said = failure(14, { details })
    const name = failure(14, {
      details: 'Name resolution failed for target dns:certificate.example',
      isFromPeer: false,
    })
    expect([said, name].map((one) => come({ failure: one, isUnanswered: true }))).toEqual(['backoff', 'backoff'])
  })
})

describe('the decision after the end of a stream', () => {
  test.each<readonly [string, CallFailure | undefined, Partial<StreamEnd>, string]>([
    ['well, after an event', undefined, { hadProgress: true }, 'none'],
    ['well, after half a minute less the way', undefined, { lastedMs: 29_980, connectedMs: 29_950 }, 'none'],
    ['well, after a second', undefined, { lastedMs: 1_000, connectedMs: 990 }, 'short'],
    ['well, at once', undefined, {}, 'backoff'],
    ['recycled, after an event', failure(1), { isPlanned: true, hadProgress: true }, 'none'],
    ['recycled, without one', failure(1), { isPlanned: true, lastedMs: 100, connectedMs: 90 }, 'short'],
    ['recycled, and never connected', failure(1), { isPlanned: true, lastedMs: 600_000 }, 'backoff'],
    ['CANCELLED not by us', failure(1), {}, 'backoff'],
    ['UNKNOWN', failure(2), {}, 'doubt'],
    ['HTTP 500', failure(2, { details: 'Received HTTP status code 500', isGrpc: false }), {}, 'backoff'],
    ...[401, 403, 404, 405, 418, 503].map((status): [string, CallFailure, Partial<StreamEnd>, string] => [
      `HTTP ${status}`,
      page(status),
      {},
      status === 401 ? 'none' : 'backoff',
    ]),
    ['a page with 200', failure(8, { details: LARGE, isGrpc: false }), {}, 'backoff'],
    ['INVALID_ARGUMENT', failure(3), {}, 'fail: answer'],
    ['DEADLINE_EXCEEDED', failure(4), {}, 'backoff'],
    ['NOT_FOUND', failure(5), {}, 'fail: answer'],
    ['NOT_FOUND after a cursor', failure(5), { hadCursor: true }, 'fail: cursor_refused'],
    ['NOT_FOUND after a cursor and an event', failure(5), { hadCursor: true, hadProgress: true }, 'backoff'],
    ['ALREADY_EXISTS', failure(6), {}, 'fail: answer'],
    ['PERMISSION_DENIED', failure(7), {}, 'fail: answer'],
    ['PERMISSION_DENIED after an event', failure(7), { hadProgress: true }, 'fail: answer'],
    ['RESOURCE_EXHAUSTED', failure(8), {}, 'long'],
    ['RESOURCE_EXHAUSTED with a hint', failure(8, { retryAfterMs: 3 }), {}, 'hint'],
    ['ENHANCE_YOUR_CALM', failure(8, { details: 'Bandwidth exhausted or memory limit exceeded' }), {}, 'long'],
    ['an event that is too large', failure(8, { details: LARGE }), {}, 'doubt'],
    ['FAILED_PRECONDITION', failure(9), {}, 'fail: answer'],
    ['FAILED_PRECONDITION after a cursor', failure(9), { hadCursor: true }, 'fail: cursor_refused'],
    ['ABORTED', failure(10), {}, 'backoff'],
    ['OUT_OF_RANGE', failure(11), {}, 'fail: answer'],
    ['OUT_OF_RANGE after a cursor', failure(11), { hadCursor: true }, 'fail: cursor_refused'],
    ['UNIMPLEMENTED', failure(12), {}, 'fail: answer'],
    ['INTERNAL', failure(13), {}, 'backoff'],
    ['an event that cannot be read', failure(13, { details: PARSE }), {}, 'doubt'],
    ['UNAVAILABLE', failure(14), {}, 'backoff'],
    ['DATA_LOSS', failure(15), {}, 'doubt'],
    ['UNAUTHENTICATED', failure(16), {}, 'none'],
    ['a code there is not', failure(77), {}, 'doubt'],
  ])('%s', (_what, told, end, expected) => {
    expect(come({ ...end, ...(told ? { failure: told } : {}) })).toBe(expected)
  })

  test('two refused tokens in a row end the stream; a good stream in between resets the count', () => {
    expect(come({ failure: failure(16) }, { refusals: 1 })).toBe('fail: answer')
    expect(come({ failure: failure(16), hadProgress: true }, { refusals: 1 })).toBe('none')
    expect(judgeEnd({ ...END, failure: failure(14) }, { ...NO_STREAK, refusals: 1 })).toMatchObject({
      streak: { refusals: 1 },
    })
  })

  test.each([
    [2, {}],
    [15, {}],
    [13, { details: PARSE }],
    [8, { details: LARGE }],
  ])('code %d five times in a row without an event is permanent', (code, more) => {
    for (const [hadCursor, expected] of [
      [true, 'fail: cursor_failed'],
      [false, 'fail: answer'],
    ] as const) {
      const seen: string[] = []
      let streak = NO_STREAK
      for (;;) {
        const verdict = judgeEnd({ ...END, hadCursor, failure: failure(code, more) }, streak)
        seen.push(verdict.next === 'fail' ? `fail: ${verdict.because}` : verdict.wait)
        if (verdict.next === 'fail') break
        streak = verdict.streak
      }
      expect(seen).toEqual(['doubt', 'doubt', 'doubt', 'doubt', expected])
    }
  })

  test('an event or a lost connection resets the count of five', () => {
    const unknown = { ...END, failure: failure(2) }
    expect(judgeEnd({ ...unknown, hadProgress: true }, { ...NO_STREAK, doubts: 4 })).toMatchObject({
      next: 'reopen',
      streak: { doubts: 1 },
    })
    expect(judgeEnd({ ...END, failure: failure(14) }, { ...NO_STREAK, doubts: 4 })).toMatchObject({
      streak: { doubts: 0 },
    })
  })

  test.each([401, 403, 404, 418, 200])('a page with HTTP %d ends no stream that ever had an answer', (status) => {
    const failure = status === 200 ? { ...page(200), code: 8, details: LARGE } : page(status)
    let streak = { ...NO_STREAK, doubts: 4 }
    for (let ends = 0; ends < 50; ends++) {
      const verdict = judgeEnd({ ...END, hadCursor: true, failure }, streak)
      if (verdict.next === 'fail') throw new Error(`ended after ${ends}`)
      streak = verdict.streak
    }
    expect(streak).toMatchObject({ doubts: 0, failures: status === 401 ? 49 : 50 })
  })

  test.each([403, 404, 418])('HTTP %d five times where nothing ever answered is a wrong URL', (status) => {
    const end = { ...END, isUnanswered: true, failure: page(status) }
    expect(judgeEnd(end, { ...NO_STREAK, doubts: 3 })).toMatchObject({ next: 'reopen', wait: 'doubt' })
    expect(judgeEnd(end, { ...NO_STREAK, doubts: 4 })).toEqual({ next: 'fail', because: 'answer' })
    expect(judgeEnd({ ...end, failure: page(503) }, { ...NO_STREAK, doubts: 4 })).toMatchObject({ next: 'reopen' })
  })

  test('failures lengthen the pause, and a good stream resets it', () => {
    const next = (end: Partial<StreamEnd>, failures: number): number => {
      const verdict = judgeEnd({ ...END, ...end }, { ...NO_STREAK, failures })
      return verdict.next === 'reopen' ? verdict.streak.failures : -1
    }
    expect(next({ failure: failure(14) }, 3)).toBe(4)
    expect(next({}, 3)).toBe(4)
    expect(next({ failure: failure(14), hadProgress: true }, 3)).toBe(1)
    expect(next({ failure: failure(14), connectedMs: 29_900 }, 3)).toBe(1)
    expect(next({ lastedMs: 1_000, connectedMs: 990 }, 3)).toBe(0)
    expect(next({ hadProgress: true }, 3)).toBe(0)
  })
})

describe('the length of a pause', () => {
  const most = (): number => 0.999_999
  const streak = (more: Partial<Streak>): Streak => ({ ...NO_STREAK, ...more })

  test.each([1, 2, 3, 6, 7, 2_000])('after %d failures: full jitter up to 200 ms doubled, 10 s at most', (failures) => {
    const longest = Math.min(10_000, 200 * 2 ** (failures - 1))
    expect(pauseMs('backoff', streak({ failures }), undefined, most)).toBeCloseTo(longest, 1)
    expect(pauseMs('backoff', streak({ failures }), undefined, () => 0)).toBe(0)
  })

  test('of every other kind', () => {
    expect(pauseMs('none', NO_STREAK, undefined, most)).toBe(0)
    expect(pauseMs('short', streak({ failures: 9 }), undefined, most)).toBeLessThanOrEqual(200)
    expect(pauseMs('doubt', streak({ doubts: 2 }), undefined, most)).toBeCloseTo(2_000, 1)
    expect([1, 2, 3, 4, 99].map((exhaustions) => pauseMs('long', streak({ exhaustions }), undefined, () => 0))).toEqual(
      [10_000, 20_000, 40_000, 60_000, 60_000],
    )
  })

  test('is at least what a server asks for, and at most a tenth more', () => {
    expect(pauseMs('hint', NO_STREAK, 1_500, () => 0)).toBe(1_500)
    expect(pauseMs('hint', NO_STREAK, 1_500, most)).toBeLessThanOrEqual(1_650)
    expect(pauseMs('backoff', streak({ failures: 1 }), 1_500, () => 0)).toBe(1_500)
  })
})
