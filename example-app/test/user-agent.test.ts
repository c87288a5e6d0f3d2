import { expect, test } from '@jest/globals'
import { en } from '../src/texts/en.js'
import { ko } from '../src/texts/ko.js'
import { describeUserAgent } from '../src/user-agent.js'
import { FIREFOX, IPHONE } from './user-agents.js'

test.each([
  [FIREFOX, 'Firefox on Windows'],
  [IPHONE, 'Safari on iOS'],
  [
    'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36',
    'Chrome on Linux',
  ],
  [
    'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36 Edg/131.0.0.0',
    'Microsoft Edge on macOS',
  ],
  ['', 'Unknown browser'],
  [undefined, 'Unknown browser'],
])('%s is called %s', (userAgent, words) => {
  expect(describeUserAgent(userAgent, en)).toBe(words)
})

test('whatever a client says comes back as text', () => {
  expect(typeof describeUserAgent('<script>alert(1)</script>', en)).toBe('string')
  expect(typeof describeUserAgent('x'.repeat(100_000), en)).toBe('string')
})

test('in Korean it is said in Korean', () => {
  expect([FIREFOX, ''].map((userAgent) => describeUserAgent(userAgent, ko))).toEqual([
    'Windows의 Firefox',
    '알 수 없는 브라우저',
  ])
})
