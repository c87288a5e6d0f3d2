import { describe, expect, test } from '@jest/globals'
import { errorCode, networkCode } from '../../src/lib/error-code.js'

describe('the code of a failed fetch', () => {
  test.each([
    ['its own', Object.assign(new Error('x'), { code: 'ECONNREFUSED' }), 'ECONNREFUSED'],
    ['that of its cause', new TypeError('fetch failed', { cause: { code: 'UND_ERR_SOCKET' } }), 'UND_ERR_SOCKET'],
    ['none where it is no code', Object.assign(new Error('x'), { code: 'a secret: 123' }), 'connection failed'],
    ['none where nothing is thrown', undefined, 'connection failed'],
  ])('is %s', (_, error, code) => {
    expect(networkCode(error)).toBe(code)
  })
})

test('an error of Node is named by its code, anything else is unknown', () => {
  expect(errorCode(Object.assign(new Error('x'), { code: 'ENOENT' }))).toBe('ENOENT')
  expect(errorCode('ENOENT')).toBe('unknown')
})
