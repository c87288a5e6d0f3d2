import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import type { ID_TOKEN_FAULTS } from '../../sandbox/src/faults/fault.js'
import type { Answer, CookieBrowser } from '../support/cookie-browser.js'
import { until } from '../support/until.js'
import { startWorld, type World } from '../support/world.js'

let world: World
let browser: CookieBrowser
beforeEach(async () => {
  world = await startWorld({ sandbox: { announceRevocation: true } })
  browser = await world.signedIn()
  world.events.length = 0
})
afterEach(() => world.close())

/** One refresh, whose answer has this flaw. */
async function refreshWith(kind: (typeof ID_TOKEN_FAULTS)[number]): Promise<Answer> {
  world.sandbox.control.inject({ endpoint: 'token', grantType: 'refresh_token', fault: { kind } })
  world.sandbox.control.expireAccessTokens()
  return browser.visit(`${world.url}/userinfo`)
}

const typesOfEvents = (): string[] => world.events.map(({ type }) => type)

describe('an id_token that comes with a refresh (OIDC Core 12.2)', () => {
  test('is accepted if it belongs to the sign-in, and so is an answer without one', async () => {
    world.sandbox.control.expireAccessTokens()
    expect((await browser.visit(`${world.url}/userinfo`)).status).toBe(200)
    world.sandbox.control.set({ idTokenOnRefresh: false })
    world.sandbox.control.expireAccessTokens()
    expect((await browser.visit(`${world.url}/userinfo`)).status).toBe(200)
    expect(typesOfEvents()).toEqual(['token_refreshed', 'token_refreshed'])
  })

  test.each([
    ['wrong-sub', '"sub"'],
    ['wrong-iss', '"iss"'],
    ['wrong-aud', '"aud"'],
    ['extra-aud', '"azp"'],
    ['wrong-azp', '"azp"'],
    ['wrong-at-hash', '"at_hash"'],
    ['alg-none', '"alg"'],
    ['alg-hs256', '"alg"'],
    ['foreign-key', 'its signature'],
  ] as const)('%s: the sign-in ends, loudly, and its tokens are not used', async (kind, named) => {
    const { userinfo } = world.sandbox.control.counters
    const answer = await refreshWith(kind)
    expect([answer.status, JSON.parse(answer.text).code]).toEqual([401, 'signed_out'])
    expect(world.events).toContainEqual(
      expect.objectContaining({
        type: 'refresh_failed',
        code: 'provider_response_invalid',
        detail: expect.stringContaining(named),
      }),
    )
    expect(world.events).toContainEqual(expect.objectContaining({ type: 'sign_out', reason: 'id_token_mismatch' }))
    expect(typesOfEvents()).not.toContain('token_refreshed')
    expect(world.sandbox.control.counters.userinfo - userinfo).toBe(1)
    await until(() => world.sandbox.control.counters.revocation === 1, 'the refresh token is revoked')
    expect((await browser.visit(`${world.url}/me`)).location).toContain('/auth/login')
    for (const { value } of world.sandbox.control.issuedTokens) {
      expect(answer.text + JSON.stringify(world.events)).not.toContain(value)
    }
  })

  test.each(['expired', 'future-iat', 'missing-exp'] as const)(
    '%s: the tokens are not used, and what is wrong is said',
    async (kind) => {
      const answer = await refreshWith(kind)
      expect(typesOfEvents()).not.toContain('token_refreshed')
      expect(answer.status).toBe(kind === 'missing-exp' ? 401 : 502)
      expect(world.events).toContainEqual(
        expect.objectContaining({ detail: expect.stringMatching(/"(exp|iat)"/), type: 'refresh_failed' }),
      )
    },
  )

  test('does not end the sign-in if a clock is wrong, and is accepted once it is right', async () => {
    const answer = await refreshWith('future-iat')
    expect(JSON.parse(answer.text).message).toContain("check this machine's clock")
    expect((await browser.visit(`${world.url}/userinfo`)).status).toBe(200)
    expect(typesOfEvents()).toEqual(['refresh_failed', 'token_refreshed'])
  })

  test('is accepted after PAS has changed and published its key', async () => {
    await world.sandbox.control.rotateKeys()
    world.sandbox.control.expireAccessTokens()
    expect((await browser.visit(`${world.url}/userinfo`)).status).toBe(200)
    expect(typesOfEvents()).toEqual(['token_refreshed'])
  })

  test('does not end the sign-in while PAS still publishes its former key', async () => {
    world.sandbox.control.inject({ endpoint: 'jwks', fault: { kind: 'foreign-key' } })
    await world.sandbox.control.rotateKeys()
    world.sandbox.control.expireAccessTokens()
    expect((await browser.visit(`${world.url}/userinfo`)).status).toBe(502)
    expect((await browser.visit(`${world.url}/userinfo`)).status).toBe(200)
    expect(typesOfEvents()).toEqual(['refresh_failed', 'token_refreshed'])
  })

  test.each([{ kind: 'status', status: 503 }, { kind: 'hang' }, { kind: 'garbage' }, { kind: 'reset' }] as const)(
    'PAS does not show its keys (%j): the tokens are kept, and that is told',
    async (fault) => {
      world.sandbox.control.set({ refreshTokenAnswer: 'rotate' })
      world.sandbox.control.inject({ endpoint: 'jwks', fault })
      await world.sandbox.control.rotateKeys()
      for (let round = 0; round < 2; round += 1) {
        world.sandbox.control.expireAccessTokens()
        expect((await browser.visit(`${world.url}/userinfo`)).status).toBe(200)
      }
      expect(typesOfEvents().filter((type) => type === 'token_refreshed')).toHaveLength(2)
      expect(world.events[0]).toMatchObject({
        type: 'provider_fault',
        detail: expect.stringContaining('could not be verified'),
      })
    },
  )
})
