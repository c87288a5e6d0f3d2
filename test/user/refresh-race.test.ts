import { afterEach, expect, test } from '@jest/globals'
import { startSandbox } from 'ppoppo-sandbox'
import { createClock } from '../support/clock.js'
import { describeWithRedis, redisForTests } from '../support/redis.js'
import { startWorld, type World } from '../support/world.js'

const worlds: World[] = []
afterEach(async () => {
  for (const world of worlds.splice(0)) await world.close()
})

describeWithRedis('C34 invalid_grant for a refresh token that has been replaced', () => {
  test('C34 does not end the sign-in: an instance whose lease expired meanwhile uses the newer tokens', async () => {
    const redis = await redisForTests()
    const sandbox = await startSandbox({ pasPort: 0, autoSignIn: 'alex', refreshTokenAnswer: 'rotate' })
    const prefix = redis.prefix()

    // The first instance's refresh is held back on its way to PAS, longer than its lease lives.
    let isHolding = false
    let release = (): void => {}
    let heldBack = (): void => {}
    const isHeld = new Promise<void>((resolve) => {
      heldBack = resolve
    })
    const fetch = async (url: string | URL, init: RequestInit): Promise<Response> => {
      if (isHolding && String(url).endsWith('/oauth/token')) {
        const gate = new Promise<void>((resolve) => {
          release = resolve
        })
        heldBack()
        await gate
      }
      return globalThis.fetch(url, init)
    }
    const options = { redis: redis.url, keyPrefix: prefix }
    const slow = await startWorld({ sandbox, options, runtime: createClock({ fetch }).runtime })
    worlds.push(slow)
    const quick = await startWorld({ sandbox, options: { ...options, baseUrl: slow.url } })
    worlds.push(quick)

    const browser = await slow.signedIn()
    sandbox.control.expireAccessTokens()
    isHolding = true
    const late = browser.visit(`${slow.url}/userinfo`)
    await isHeld
    const leases = (await redis.client.keys(`${prefix}*`)).filter((key) => key.includes('lock'))
    expect(leases).toHaveLength(1)
    await redis.client.del(leases)
    expect((await browser.visit(`${quick.url}/userinfo`)).status).toBe(200)
    // PAS has rotated the token, and now refuses the one that comes late. (The sandbox then forgets the whole grant.)
    release()
    isHolding = false
    await late
    for (const { url, events } of [slow, quick]) {
      expect((await browser.visit(`${url}/me`)).status).toBe(200)
      expect(events.filter(({ type }) => type === 'sign_out')).toEqual([])
    }
    await sandbox.close()
  })
})
