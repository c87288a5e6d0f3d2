import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { formatPpnum, isPpoppoError, parsePpnum } from '../src/index.js'
import { allowed } from './support/allowed.js'

describe('ppnum', () => {
  test.each([
    ['12312345678', '12312345678'],
    ['123-1234-5678', '12312345678'],
    [' 123 1234 5678 ', '12312345678'],
    ['00000000001', '00000000001'],
    ['123456789012345', '123456789012345'],
  ])('%j is read as %s', (text, digits) => {
    expect(parsePpnum(text)).toBe(digits)
  })

  test.each([
    '',
    '1231234567',
    '123--1234-5678',
    '-12312345678',
    '12312345678a',
    '１２３１２３４５６７８',
    '12312345678\n1',
    '+12312345678',
    '1.2312345678e10',
  ])('%j is refused', (text) => {
    expect(() => parsePpnum(text)).toThrow(expect.objectContaining({ code: 'ppnum_invalid', status: 400 }))
  })

  test.each([undefined, null, 12312345678, ['12312345678'], {}])(
    '%p is refused, as a program without types may pass it',
    (value) => {
      expect(() => parsePpnum(value as unknown as string)).toThrow(expect.objectContaining({ code: 'ppnum_invalid' }))
    },
  )

  test('is shown as 123-1234-5678; what is shown is read back', () => {
    expect(formatPpnum('12312345678')).toBe('123-1234-5678')
    const digits = fc.array(fc.integer({ min: 0, max: 9 }), { minLength: 11, maxLength: 20 }).map((all) => all.join(''))
    fc.assert(fc.property(digits, (ppnum) => parsePpnum(formatPpnum(ppnum)) === ppnum))
  })

  test('no text of a million characters takes long', async () => {
    const beganAt = performance.now()
    for (const text of ['1 '.repeat(500_000), `${'1'.repeat(1_000_000)}x`, '- '.repeat(500_000)]) {
      try {
        parsePpnum(text)
      } catch (error) {
        expect(isPpoppoError(error, 'ppnum_invalid')).toBe(true)
      }
    }
    expect(performance.now() - beganAt).toBeLessThan(await allowed(1_000))
  })
})
