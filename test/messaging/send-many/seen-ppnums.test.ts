import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { SeenPpnums } from '../../../src/messaging/send-many/seen-ppnums.js'

describe('SeenPpnums', () => {
  test('agrees with a Set of strings, for numbers of every length, with leading zeros, and close together', () => {
    const digits = (length: number) =>
      fc.array(fc.constantFrom('0', '1', '9'), { minLength: length, maxLength: length }).map((all) => all.join(''))
    const ppnum = fc.oneof(
      digits(11),
      digits(15),
      digits(16),
      fc.integer({ min: 11, max: 22 }).chain(digits),
      fc
        .integer({ min: 11, max: 20 })
        .chain((length) => fc.nat(50).map((number) => String(number).padStart(length, '0'))),
      fc.constantFrom('9007199254740991', '9007199254740993', '999999999999999', '1999999999999999'),
    )
    fc.assert(
      fc.property(fc.array(ppnum, { maxLength: 400 }), (ppnums) => {
        const seen = new SeenPpnums()
        const set = new Set<string>()
        const wrong = ppnums.filter((ppnum) => {
          const isNew = !set.has(ppnum)
          set.add(ppnum)
          return seen.add(ppnum) !== isNew
        })
        expect(wrong).toEqual([])
      }),
    )
  })

  test('stays fast with 40,000 neighbouring numbers, each twice, where a clustering hash takes minutes', () => {
    for (const step of [1, 1_024, 2 ** 20]) {
      const seen = new SeenPpnums()
      let added = 0
      for (let round = 0; round < 2; round += 1) {
        for (let index = 0; index < 40_000; index += 1) if (seen.add(String(10_000_000_000 + index * step))) added += 1
      }
      expect(added).toBe(40_000)
    }
  })
})
