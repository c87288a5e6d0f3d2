import { inspect } from 'node:util'
import { afterEach, describe, expect, test } from '@jest/globals'
import type { PpoppoEvent } from '../../src/audit-events.js'
import { createClock, HOUR } from '../support/clock.js'
import { startWorld, type World } from '../support/world.js'

const clock = createClock()
let world: World
afterEach(() => world.close())

const kinds = (): string[] =>
  world.events.map((event) => ('reason' in event ? `${event.type}: ${event.reason}` : event.type))

describe('C42 what onEvent hears', () => {
  test('C42 a whole story, in order, each with time and correlation id, and without a secret', async () => {
    world = await startWorld({ runtime: clock.runtime, sandbox: { announceRevocation: true } })
    const { sandbox } = world
    const browser = await world.signedIn()
    const other = await world.signedIn()
    await world.browser().visit(`${world.url}/auth/callback?code=x&state=${'s'.repeat(43)}`)
    sandbox.control.set({ autoSignIn: 'deny' })
    await world.browser().go(`${world.url}/auth/login`)
    sandbox.control.set({ autoSignIn: 'alex' })
    sandbox.control.inject({ endpoint: 'token', fault: { kind: 'wrong-nonce' } })
    await world.browser().go(`${world.url}/auth/login`)
    clock.advance(2 * HOUR)
    sandbox.control.inject({ endpoint: 'token', fault: { kind: 'status', status: 503 } })
    await browser.visit(`${world.url}/token`)
    await browser.visit(`${world.url}/token`)
    sandbox.control.inject({ endpoint: 'revocation', fault: { kind: 'status', status: 503 } })
    await browser.visit(`${world.url}/auth/logout`, { method: 'POST' })
    sandbox.control.revokeUser('alex')
    await other.visit(`${world.url}/token`)

    expect(kinds()).toEqual([
      'sign_in',
      'sign_in',
      'sign_in_refused: no_attempt',
      'sign_in_refused: provider_error',
      'sign_in_refused: verification_failed',
      'refresh_failed',
      'token_refreshed',
      'sign_out: sign_out',
      'revocation_failed',
      'sign_out: revoked',
    ])
    for (const event of world.events) {
      expect(event.correlationId).toMatch(/^[0-9a-f]{16}$/)
      expect(new Date(event.at).toISOString()).toBe(event.at)
    }
    expect(new Set(world.events.map(({ correlationId }) => correlationId)).size).toBe(world.events.length)

    const told = inspect(world.events, { depth: 9, showHidden: true }) + JSON.stringify(world.events)
    expect(sandbox.control.issuedTokens.length).toBeGreaterThan(5)
    for (const { value } of sandbox.control.issuedTokens) expect(told).not.toContain(value)
    for (const cookie of [...browser.jar.values(), ...other.jar.values()].filter((value) => value.length > 8)) {
      expect(told).not.toContain(cookie)
    }
    expect(told).not.toMatch(/@|code=|state=/)
  })

  test('C42 the id on the page is the id of the event', async () => {
    world = await startWorld()
    const pages = [
      await world.browser().visit(`${world.url}/auth/callback?code=x&state=${'s'.repeat(43)}`),
      await (async () => {
        world.sandbox.control.inject({ endpoint: 'token', fault: { kind: 'wrong-aud' } })
        return world.browser().go(`${world.url}/auth/login`)
      })(),
    ]
    for (const [index, page] of pages.entries()) {
      expect(page.status).toBeGreaterThanOrEqual(400)
      expect(world.events[index]?.type).toBe('sign_in_refused')
      expect(page.text).toContain(world.events[index]?.correlationId)
    }
  })

  test('C42 the id on the page is the id of the event, where PAS is down at login', async () => {
    world = await startWorld()
    await world.sandbox.close()
    const page = await world.browser().visit(`${world.url}/auth/login`)
    expect(world.events).toEqual([expect.objectContaining({ type: 'provider_fault', operation: 'login' })])
    expect(page.text).toContain(world.events[0]?.correlationId)
  })

  test.each([
    [
      'throws',
      () => {
        throw new Error('no')
      },
    ],
    ['rejects', () => Promise.reject(new Error('no'))],
    ['never resolves', () => new Promise<void>(() => {})],
    [
      'throws something odd',
      () => {
        throw undefined
      },
    ],
  ])('C42 an onEvent that %s breaks nothing', async (_, onEvent: (event: PpoppoEvent) => unknown) => {
    world = await startWorld({ options: { onEvent: (event) => onEvent(event) as undefined } })
    const browser = await world.signedIn()
    expect((await browser.visit(`${world.url}/auth/logout`, { method: 'POST' })).status).toBe(303)
    expect((await world.browser().visit(`${world.url}/auth/callback?state=x`)).status).toBe(400)
  })
})
