import { expect, test } from '@jest/globals'
import { RecentSet } from '../../src/lib/recent-set.js'
import { createDiscovery } from '../../src/provider/discovery.js'
import { createClock, HOUR, MINUTE, SECOND } from '../support/clock.js'

/* M13: what is kept in this process for a while is kept by a clock that is never set. */

const issuer = 'https://accounts.ppoppo.example'
const document = {
  issuer,
  authorization_endpoint: `${issuer}/oauth/authorize`,
  token_endpoint: `${issuer}/oauth/token`,
  jwks_uri: `${issuer}/jwks`,
}

test.each([-HOUR, -24 * HOUR, 24 * HOUR])(
  'discovery is repeated after an hour even if the clock is set by %d ms',
  async (byMs) => {
    const clock = createClock()
    let asked = 0
    const ask = async () => {
      asked++
      const headers = new Headers({ 'content-type': 'application/json' })
      return { status: 200, headers, body: JSON.stringify(document) }
    }
    const find = createDiscovery({ config: { clientId: 'client', issuer }, ask, runtime: clock.runtime })
    await find()
    clock.set(byMs)
    await find()
    await find({ seenWithinMs: MINUTE })
    expect(asked).toBe(1)
    clock.advance(2 * MINUTE)
    await find({ seenWithinMs: MINUTE })
    expect(asked).toBe(2)
    clock.advance(61 * MINUTE)
    await find()
    expect(asked).toBe(3)
  },
)

test.each([-HOUR, HOUR])(
  'what failed lately is tried again after its time, whoever sets the clock by %d ms',
  (byMs) => {
    const clock = createClock()
    const failed = new RecentSet({ ttlMs: 10 * SECOND, capacity: 10, now: clock.runtime.monotonic })
    failed.add('sign-in')
    clock.set(byMs)
    expect(failed.has('sign-in')).toBe(true)
    clock.advance(11 * SECOND)
    expect(failed.has('sign-in')).toBe(false)
  },
)
