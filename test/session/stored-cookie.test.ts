import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { Cookie, toCookie } from '../../src/session/express-session.js'
import { fromStoredCookie, toStoredCookie } from '../../src/session/stored-cookie.js'
import { DAY } from '../support/clock.js'

const USUAL = { httpOnly: true, sameSite: 'lax', path: '/', maxAge: 30 * DAY, secure: false }
const stored = (cookie: object, sentAt?: number): Record<string, unknown> =>
  JSON.parse(JSON.stringify(toStoredCookie(settingsOf(cookie), sentAt)))
const settingsOf = (cookie: object): Record<string, unknown> => ({ ...Object(Reflect.get(cookie, 'data')) })
const restored = (blob: Record<string, unknown>, sentAt?: number): Record<string, unknown> =>
  settingsOf(toCookie(fromStoredCookie(blob, sentAt)))

/** As a `Set-Cookie` line has it: without one, express-session uses these. */
const effective = ({ expires: _, secure, httpOnly = true, path = '/', sameSite, ...others }: Record<string, unknown>) =>
  JSON.parse(JSON.stringify({ ...others, httpOnly, path, secure: secure ?? false, sameSite: sameSite ?? false }))

describe('the cookie of a stored session', () => {
  test('the usual settings take no space, and are restored completely', () => {
    const cookie = new Cookie(USUAL)
    const sentAt = Date.now()
    expect(stored(cookie, sentAt)).toEqual({})
    const { expires, ...others } = restored({}, sentAt)
    expect(expires).toEqual(new Date(sentAt + 30 * DAY))
    expect(others).toMatchObject({
      originalMaxAge: 30 * DAY,
      secure: false,
      httpOnly: true,
      path: '/',
      sameSite: 'lax',
    })
  })

  test('whatever an app sets or removes is restored as it was, and so is an expiry', () => {
    const optional = <T>(values: fc.Arbitrary<T>) => fc.option(values, { nil: undefined })
    const settings = fc.record({
      maxAge: fc.constantFrom(null, 0, 1_000, 30 * DAY, 7 * DAY),
      secure: fc.constantFrom(true, false, 'auto', undefined),
      httpOnly: fc.constantFrom(true, false, undefined),
      path: fc.constantFrom('/', '/shop', undefined),
      sameSite: fc.constantFrom('lax', 'strict', 'none', true, false, undefined),
      domain: optional(fc.constant('example.com')),
      priority: optional(fc.constantFrom('high', 'low')),
      partitioned: optional(fc.boolean()),
    })
    const sent = fc.constantFrom(undefined, 0, -5_000, -DAY)
    fc.assert(
      fc.property(settings, sent, (wanted, ago) => {
        const cookie = new Cookie(wanted)
        const sentAt = ago === undefined ? undefined : Date.now() + ago
        const before = settingsOf(cookie)
        const after = restored(stored(cookie, sentAt), sentAt)
        const [was, is] = [Object(before['expires']), Object(after['expires'])]
        expect(is instanceof Date).toBe(was instanceof Date)
        if (was instanceof Date) expect(Math.abs(is - was.getTime())).toBeLessThan(1_000)
        expect(effective(after)).toEqual(effective(before))
      }),
    )
  })

  test('a cookie without a lifetime is restored without one: the browser keeps it until it is closed', () => {
    const cookie = Object.assign(new Cookie(USUAL), { maxAge: undefined })
    expect(restored(stored(cookie, Date.now()), Date.now())).toMatchObject({ originalMaxAge: null, expires: null })
  })

  test('a cookie that a version before 0.2 has stored is restored as it was', () => {
    const former = JSON.parse(JSON.stringify(new Cookie({ ...USUAL, sameSite: 'strict', maxAge: 7 * DAY })))
    const { expires, ...others } = restored(former, Date.now() - DAY)
    expect(expires).toEqual(new Date(former.expires))
    expect(others).toMatchObject({ originalMaxAge: 7 * DAY, sameSite: 'strict', secure: false, path: '/' })
  })

  test('a cookie that a version before 0.2 has read and stored again lives as long as any other', () => {
    const former = JSON.parse(JSON.stringify(toCookie(Object({}))))
    expect(restored(former, Date.now())).toMatchObject({ originalMaxAge: 30 * DAY, httpOnly: true, sameSite: 'lax' })
  })
})
