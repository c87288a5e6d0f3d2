import { describe, expect, test } from '@jest/globals'
import { said } from '../../../src/messaging/call/failure.js'

const JWT = `${'eyJhbGciOiJFZERTQSJ9'}.${'eyJzdWIiOiIwMUhRIn0'.repeat(20)}.${'c2lnbmF0dXJl'.repeat(5)}`

describe('a server message quoted in an error', () => {
  test('is cut: 60,000 letters are dropped, of 60,000 words the first are kept', () => {
    expect(said('a'.repeat(60_000))).toBe('')
    expect(said('word '.repeat(12_000))).toMatch(/^: (word ){40}\.\.\.$/)
  })

  test.each([
    ['a token', `refused ${JWT} today`, ': refused [removed] today'],
    ['a token in a header', `authorization: Bearer ${JWT}`, ': authorization: Bearer [removed]'],
    ['an opaque token', 'got "Bearer abc123" instead', ': got "Bearer [removed] instead'],
    ['basic credentials', 'basic dXNlcjpwYXNz was sent', ': basic [removed] was sent'],
    ['a token right at the cut', `${'word '.repeat(190)}${JWT}`, expect.not.stringContaining('eyJ')],
    ['a token behind dots', `a.b.${JWT}`, ': [removed]'],
  ])('contains no secret: %s', (_what, details, expected) => {
    expect(said(details)).toEqual(expected)
  })

  test.each([
    ['lines and controls', 'one\r\n\u001b[31mtwo\u2028three\u200bfour', ': one [31mtwo three four'],
    ['a host name', 'getaddrinfo ENOTFOUND api.ppoppo.com', ': getaddrinfo ENOTFOUND api.ppoppo.com'],
    ['a version', 'envoy 1.2.3 says no.', ': envoy 1.2.3 says no'],
    ["grpc-js's note", 'Name resolution failed. Resolution note: whatever', ': Name resolution failed'],
    ['nothing', ' \n', ''],
  ])('is one plain line: %s', (_what, details, expected) => {
    expect(said(details)).toBe(expected)
  })
})
