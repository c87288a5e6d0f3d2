import { afterEach, describe, expect, jest, test } from '@jest/globals'
import type { Request } from 'express'
import { denySignIn, PpoppoError, type PpoppoOptions } from '../../src/index.js'
import { askOnSignIn } from '../../src/sign-in/on-sign-in.js'
import { beginAttempt, buttonOf, isSignedIn } from '../support/attempts.js'
import { describeOnStores } from '../support/stores.js'
import { until } from '../support/until.js'
import { startWorld, type World } from '../support/world.js'

const HOSTILE = '"><script>alert(1)</script>'
type OnSignIn = NonNullable<PpoppoOptions['onSignIn']>
const circle: { self?: unknown } = {}
circle.self = circle

describeOnStores('what the app says to a sign-in', (storage) => {
  let world: World
  let options: PpoppoOptions
  afterEach(() => world.close())

  async function start(onSignIn: OnSignIn): Promise<void> {
    options = { ...storage.options(), rateLimit: false, onSignIn }
    world = await startWorld({ options, sandbox: { announceRevocation: true } })
  }

  test('onSignIn receives the user, and its return value becomes the account', async () => {
    const heard: unknown[] = []
    await start((user, { req }) => {
      heard.push(user, req.path)
      return { id: 7, since: new Date(0), nothing: undefined }
    })
    const browser = await world.signedIn()
    const me = JSON.parse((await browser.visit(`${world.url}/me`)).text)
    expect(me.account).toEqual({ id: 7, since: '1970-01-01T00:00:00.000Z' })
    expect(heard[0]).toEqual(me.user)
  })

  test.each<[string, OnSignIn, number, string]>([
    [
      'rejects with denySignIn',
      () => Promise.reject(denySignIn(`Closed ${HOSTILE}`)),
      403,
      'This account cannot be used here',
    ],
    [
      'throws denySignIn synchronously',
      () => {
        throw denySignIn('Closed')
      },
      403,
      'This account cannot be used here',
    ],
    [
      'throws',
      () => {
        throw new TypeError('word=hunter2')
      },
      503,
      'We could not finish signing you in',
    ],
    ['rejects with a string', () => Promise.reject('hunter2'), 503, 'We could not finish signing you in'],
    [
      'throws one of our errors',
      () => Promise.reject(new PpoppoError('signed_out', 'hunter2')),
      503,
      'We could not finish signing you in',
    ],
    ['returns a circular object', () => circle, 503, 'We could not finish signing you in'],
    ['returns a bigint', () => ({ id: 7n }), 503, 'We could not finish signing you in'],
    ['returns a function', () => () => 7, 503, 'We could not finish signing you in'],
    ['returns a symbol', () => Symbol('x'), 503, 'We could not finish signing you in'],
    ['returns more than the limit', () => 'x'.repeat(5_000), 503, 'We could not finish signing you in'],
  ])(
    'C19 onSignIn that %s: a page, nobody signed in, nothing stored, tokens revoked',
    async (_name, onSignIn, status, title) => {
      let isRefusing = true
      await start((...about) => (isRefusing ? onSignIn(...about) : undefined))
      const browser = world.browser()
      const answer = await browser.visit(await beginAttempt(world, browser, '/me?kept'))
      expect(answer.status).toBe(status)
      expect(answer.text).toContain(title)
      expect(answer.text).not.toContain('<script')
      expect(answer.text + JSON.stringify(world.events)).not.toContain('hunter2')
      expect(await isSignedIn(world, browser)).toBe(false)
      expect([...browser.jar.keys()]).toEqual([])
      const kept = Object.keys(await storage.contents(options))
      expect(kept.filter((key) => /:(signin|user|sess|lock):/.test(key))).toEqual([])
      await until(() => world.sandbox.control.counters.revocation === 1, 'the refresh token is revoked')
      isRefusing = false
      expect((await browser.go(buttonOf(answer).href)).url).toBe(`${world.url}/me?kept`)
    },
  )

  test('C19 the reason of denySignIn is shown escaped', async () => {
    await start(() => {
      throw denySignIn(`Closed ${HOSTILE}`)
    })
    const browser = world.browser()
    const answer = await browser.visit(await beginAttempt(world, browser))
    expect(answer.text).toContain('Closed &quot;&gt;&lt;script&gt;')
    expect(world.events).toContainEqual(expect.objectContaining({ reason: 'denied_by_app' }))
  })

  test('a person who is denied a second sign-in stays signed in with the first', async () => {
    let isOpen = true
    await start(() => {
      if (!isOpen) throw denySignIn('Closed')
    })
    const browser = await world.signedIn()
    isOpen = false
    expect((await browser.go(`${world.url}/auth/login`)).status).toBe(403)
    expect(await isSignedIn(world, browser)).toBe(true)
  })
})

describe('the deadline of onSignIn', () => {
  test('an answer after ten seconds is too late, and its rejection is ignored', async () => {
    jest.useFakeTimers()
    try {
      let fail: (error: Error) => void = () => {}
      const onSignIn = (): Promise<never> =>
        new Promise((_resolve, reject) => {
          fail = reject
        })
      const user = { sub: '01ARZ3NDEKTSV4RRFFQ69G5FAV', ppnum: '12312345678' }
      const asked = askOnSignIn({ onSignIn }, user, {} as Request)
      const refused = expect(asked).rejects.toMatchObject({
        page: 'app_failed',
        detail: expect.stringContaining('10 s'),
      })
      await jest.advanceTimersByTimeAsync(9_999)
      await jest.advanceTimersByTimeAsync(1)
      await refused
      fail(new Error('late'))
    } finally {
      jest.useRealTimers()
    }
  })
})
