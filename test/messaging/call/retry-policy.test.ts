import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { classify } from '../../../src/messaging/call/retry-policy.js'
import type { CallFailure } from '../../../src/messaging/call/status.js'
import { readRetryInfo, toRetryAfterMs } from '../../../src/messaging/lib/retry-after.js'

const failure = (code: number, details = '', more: Partial<CallFailure> = {}): CallFailure => ({
  code,
  details,
  isFromPeer: false,
  ...more,
})

/** What happened; what a read does; what a write does, and whether it may have happened. */
const TABLE: readonly (readonly [CallFailure, string, string])[] = [
  [failure(13, 'Received RST_STREAM with code 0 (Call ended without gRPC status)'), 'backoff', 'no, unknown'],
  [failure(13, 'Received RST_STREAM with code 2 (Internal server error)'), 'backoff', 'no, unknown'],
  [failure(14, 'Stream refused by server'), 'backoff', 'backoff'],
  [failure(14, 'No connection established. Last error: connect ECONNREFUSED. Resolution note: '), 'backoff', 'backoff'],
  [failure(14, 'Name resolution failed for target dns:pcs.example:443'), 'backoff', 'backoff'],
  [failure(14, 'Channel closed before call started'), 'backoff', 'backoff'],
  [failure(14, 'Connection dropped'), 'backoff', 'no, unknown'],
  [failure(14, 'read ECONNRESET'), 'backoff', 'no, unknown'],
  [failure(14, 'a text nobody knows'), 'backoff', 'no, unknown'],
  [failure(14, 'Stream refused by server', { isFromPeer: true }), 'backoff', 'no, unknown'],
  [failure(1, 'Call cancelled'), 'backoff', 'no, unknown'],
  [failure(14, 'Received HTTP status code 429', { isFromPeer: true }), 'backoff', 'backoff'],
  [failure(14, 'Received HTTP status code 503', { isFromPeer: true }), 'backoff', 'no, unknown'],
  [failure(8, '', { retryAfterMs: 5 }), 'hint', 'hint'],
  [failure(8, 'quota'), 'no', 'no'],
  [failure(8, 'Too many recipients', { retryAfterMs: 5, isFromPeer: true }), 'hint', 'hint'],
  [failure(8, 'Bandwidth exhausted or memory limit exceeded'), 'no', 'no, unknown'],
  [failure(8, 'Received message larger than max (20 vs 10)'), 'no', 'no, unknown'],
  [failure(8, 'Attempted to send message with a size larger than 10'), 'no', 'no'],
  [failure(8, 'Received message larger than max (20 vs 10)', { isFromPeer: true, requestBytes: 20 }), 'no', 'no'],
  [
    failure(8, 'Received message larger than max (20 vs 10)', { isFromPeer: true, mayBeLocal: true }),
    'no',
    'no, unknown',
  ],
  [failure(13, 'Request message serialization failure: x'), 'no', 'no'],
  [failure(13, 'Request message serialization failure: x', { isFromPeer: true }), 'backoff', 'no, unknown'],
  [failure(12, 'No message received'), 'no', 'no, unknown'],
  [failure(4, 'Deadline exceeded after 0.100s,waiting for name resolution'), 'no', 'no'],
  [failure(4, 'Deadline exceeded after 0.100s,remote_addr=127.0.0.1:1'), 'backoff', 'no, unknown'],
  [failure(4, 'Deadline exceeded after 0.100s,name resolution: 0.001s,Waiting for LB pick'), 'no', 'no'],
  [failure(13, 'Failed to start HTTP/2 stream with error x'), 'backoff', 'backoff'],
  [failure(13, 'Response message parsing error: x', { isFromPeer: true }), 'no', 'no, unknown'],
  [failure(2, 'No status information received'), 'no', 'no, unknown'],
  [failure(16), 'new_token', 'new_token'],
  ...[3, 5, 6, 7, 9, 11, 12].map((code) => [failure(code), 'no', 'no'] as const),
  ...[10, 15].map((code) => [failure(code), 'no', 'no, unknown'] as const),
]

describe('the retry policy', () => {
  test.each(TABLE)('%j: a read %s, a write %s', (given, read, write) => {
    expect(classify(given, 'read').retry).toBe(read)
    const { retry, outcome } = classify(given, 'write')
    expect(outcome === 'unknown' ? `${retry}, unknown` : retry).toBe(write)
  })
})

const NOW = Date.UTC(2026, 9, 21, 7, 28)

test.each([
  ['3', undefined, 3_000],
  ['3', '250', 250],
  [undefined, '0', 0],
  ['1.5', undefined, 1_500],
  ['soon', '-5', undefined],
  ['Wed, 21 Oct 2026 07:28:00 GMT', undefined, undefined],
  ['Wed, 21 Oct 2026 07:28:30 GMT', undefined, 30_000],
  ['wed, 21 oct 2026 07:28:30 gmt', undefined, 30_000],
  ['Wednesday, 21-Oct-26 07:28:30 GMT', undefined, 30_000],
  ['Wednesday, 21-Oct-15 07:28:30 GMT', undefined, undefined],
  ['Wed Oct 21 07:28:30 2026', undefined, 30_000],
  ['Sun Nov  1 07:28:00 2026', undefined, 86_400_000],
  ['2026-10-21T07:28:30Z', undefined, 30_000],
  ['2026-10-21T16:28:30+09:00', undefined, 30_000],
  ['Wed, 21 Oct 2026 16:28:30 +0900', undefined, 30_000],
  ['Wed, 21 Oct 2026 02:28:30 -0500', undefined, 30_000],
  ['3s', undefined, 3_000],
  ['.5', undefined, 500],
  [undefined, '250ms', 250],
  [String(NOW / 1_000 + 30), undefined, 30_000],
  [String(NOW + 30_000), undefined, 30_000],
  [String(NOW / 1_000 - 30), undefined, undefined],
  ['Wed, 21 Foo 2026 07:28:30 GMT', undefined, undefined],
  ['Wed, 21 Oct 2026 07:28:30 KST', undefined, undefined],
  [undefined, '99999999999', 86_400_000],
])('retry-after %s and retry-after-ms %s are %s ms', (retryAfter, milliseconds, expected) => {
  expect(toRetryAfterMs(retryAfter, milliseconds, { now: NOW })).toBe(expected)
})

test('a retry-after date is read by the clock of the server that sent it', () => {
  const at = { now: NOW - 3_600_000, date: 'Wed, 21 Oct 2026 07:28:00 GMT' }
  expect(toRetryAfterMs('Wed, 21 Oct 2026 07:28:05 GMT', undefined, at)).toBe(5_000)
})

test('details that are not a google.rpc.Status give no hint, and throw nothing', () => {
  const any = Buffer.from('type.googleapis.com/google.rpc.RetryInfo')
  const good = Buffer.concat([Buffer.from([0x1a, any.length + 8, 0x0a, any.length]), any, Buffer.from('120408', 'hex')])
  for (let length = 0; length <= good.length; length++) {
    expect([undefined, {}]).toContainEqual(readRetryInfo(good.subarray(0, length)))
  }
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      readRetryInfo(bytes)
    }),
  )
  // -1 s is a number of ten bytes.
  const delay = Buffer.from('08ffffffffffffffffff01', 'hex')
  const info = Buffer.concat([Buffer.from([0x0a, delay.length]), delay])
  const value = Buffer.concat([Buffer.from([0x0a, any.length]), any, Buffer.from([0x12, info.length]), info])
  expect(readRetryInfo(Buffer.concat([Buffer.from([0x1a, value.length]), value]))).toEqual({})
})
