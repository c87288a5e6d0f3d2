import { describe, expect, test } from '@jest/globals'
import { parseEventsOptions } from '../../../src/messaging/events/parse-options.js'

const parse = (options: unknown): unknown => parseEventsOptions(options)

describe('options of events()', () => {
  test('that are valid are passed on; those not given are absent', () => {
    const { signal } = new AbortController()
    const onStale = (): void => {}
    const options = {
      sendRequestId: 'snd_1',
      after: '01HQ',
      recycleMs: 0.5,
      staleAfterMs: 2_147_483_647,
      onStale,
      signal,
    }
    expect(parse(options)).toEqual(options)
    expect(parse({ after: undefined, signal: undefined, onResumed: undefined })).toEqual({})
    expect(parse(undefined)).toEqual({})
  })

  test.each<readonly [unknown, string]>([
    [null, 'The options must be an object: events({ sendRequestId, after, signal }).'],
    ['snd_1', 'The options must be an object: events({ sendRequestId, after, signal }).'],
    [{ afterId: 'x' }, '"afterId" is not known; did you mean "after"?'],
    [{ sendRequestID: 'x' }, '"sendRequestID" is not known; did you mean "sendRequestId"?'],
    [{ name: 'x' }, '"name" is not known; known are: sendRequestId, after, recycleMs'],
    [{ after: '' }, '"after" must be an id from the server'],
    [{ after: 7 }, '"after" must be an id from the server'],
    [{ sendRequestId: 'a b' }, '"sendRequestId" must be an id from the server'],
    [{ sendRequestId: null }, '"sendRequestId" must be an id from the server'],
    [{ recycleMs: 0 }, '"recycleMs" must be a positive number of milliseconds, 2147483647 at most.'],
    [{ recycleMs: Number.NaN }, '"recycleMs" must be a positive number'],
    [{ recycleMs: Number.POSITIVE_INFINITY }, '"recycleMs" must be a positive number'],
    [{ staleAfterMs: -1 }, '"staleAfterMs" must be a positive number'],
    [{ staleAfterMs: '5' }, '"staleAfterMs" must be a positive number'],
    [{ onStale: 'log' }, '"onStale" must be a function.'],
    [{ signal: {} }, '"signal" must be an AbortSignal.'],
    [{ signal: new AbortController() }, '"signal" must be an AbortSignal.'],
  ])('%j: %s', (options, message) => {
    expect(() => parse(options)).toThrow(
      expect.objectContaining({ code: 'request_invalid', message: expect.stringContaining(message) }),
    )
  })
})
