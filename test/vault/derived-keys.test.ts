import { hkdfSync, randomBytes } from 'node:crypto'
import { describe, expect, test } from '@jest/globals'
import { lengthPrefixed } from '../../src/lib/digest.js'
import { DerivedKeys } from '../../src/vault/derived-keys.js'

const secret = randomBytes(32)
const keys = (): DerivedKeys => new DerivedKeys({ secret }, 'client')
const purposes = (count: number) =>
  Array.from({ length: count }, (_, number) => ({ purpose: 'sign-in', salt: `record ${number}` }))

describe('keys that are derived from a vault key', () => {
  test('are those of RFC 5869, with the purpose and the client as info', () => {
    const expected = hkdfSync('sha256', secret, 'salt', lengthPrefixed(['sign-in', 'client']), 32)
    expect(keys().for({ purpose: 'sign-in', salt: 'salt' }).export()).toEqual(Buffer.from(expected))
  })

  test('are others for another secret, client, purpose or salt', () => {
    const purpose = { purpose: 'sign-in', salt: 'salt' }
    const derived = [
      keys().for(purpose),
      new DerivedKeys({ secret: randomBytes(32) }, 'client').for(purpose),
      new DerivedKeys({ secret }, 'other').for(purpose),
      keys().for({ ...purpose, purpose: 'transaction' }),
      keys().for({ ...purpose, salt: 'other' }),
    ]
    expect(new Set(derived.map((key) => key.export().toString('hex'))).size).toBe(derived.length)
  })

  test('are derived once as long as they are kept, at most 1,000 of them, the latest', () => {
    const kept = keys()
    const first = purposes(3_000).map((purpose) => kept.for(purpose))
    // The latest first, before others take their places.
    const again = purposes(3_000)
      .reverse()
      .map((purpose) => kept.for(purpose))
      .reverse()
    const same = first.map((key, number) => key === again[number])
    expect(same.filter(Boolean)).toHaveLength(1_000)
    expect(same.lastIndexOf(false)).toBe(1_999)
    expect(again.map((key, number) => first[number]?.equals(key))).not.toContain(false)
  })
})
