import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import type { Request } from 'express'
import { isPpoppoError } from '../../src/index.js'
import type { CookieBrowser } from '../support/cookie-browser.js'
import { startWorld, type World } from '../support/world.js'

const SECRET = 's3cr3t-value-of-an-option'

let world: World
let browser: CookieBrowser
/** What `call` rejects with, in a request of somebody signed in. */
let call: (req: Request) => unknown
beforeAll(async () => {
  world = await startWorld({
    routes: (app) => {
      app.get('/call', (req, res) => {
        const answer = (async () => call(req))()
        answer.then(
          () => res.json({ status: req.ppoppo.status }),
          (error: unknown) => res.json({ ...codeOf(error), status: req.ppoppo.status }),
        )
      })
    },
  })
  browser = await world.signedIn()
})
afterAll(() => world.close())

function codeOf(error: unknown): { code: string; message: string } {
  return isPpoppoError(error) ? { code: error.code, message: error.message } : { code: 'none', message: String(error) }
}

async function answerOf(next: (req: Request) => unknown): Promise<{ code?: string; message?: string; status: string }> {
  call = next
  return JSON.parse((await browser.visit(`${world.url}/call`)).text)
}

/** As a program without types calls it. */
const untyped = (target: object, name: string, ...args: readonly unknown[]): unknown =>
  Reflect.apply(Reflect.get(target, name), target, args)

describe('an unknown option is rejected with the nearest name and never with its value', () => {
  test.each([
    [{ everyWhere: true }, '"everyWhere" is not an option; did you mean "everywhere"?'],
    [{ all: true }, '"all" is not an option; known are: everywhere'],
    [{ everywhere: true, [SECRET]: SECRET }, '"(odd name)" is not an option; known are: everywhere'],
    [{ everywhere: 'false' }, '"everywhere" must be true or false'],
    [true, 'takes an object with everywhere'],
    [null, 'takes an object with everywhere'],
  ])('req.ppoppo.signOut(%j) signs nobody out', async (options, problem) => {
    const answer = await answerOf((req) => untyped(req.ppoppo, 'signOut', options))
    expect(answer).toEqual({ code: 'config_invalid', message: `req.ppoppo.signOut: ${problem}`, status: 'signed-in' })
    expect((await browser.visit(`${world.url}/auth/session`)).text).toContain('"signedIn":true')
  })

  test.each([
    [{ templateId: 'tpl', var: {} }, 'did you mean "vars"?'],
    [{ templateId: 'tpl', recipients: [{ ppnum: '12300000001' }] }, 'known are: template, templateId, vars, poll'],
    [undefined, 'must be an object'],
    ['tpl', 'must be an object'],
  ])('sendToUser(%j) sends nothing', async (request, problem) => {
    const answer = await answerOf((req) => untyped(req.ppoppo.messaging, 'sendToUser', request))
    expect(answer).toMatchObject({ code: 'request_invalid', message: expect.stringContaining(problem) })
  })

  test.each([
    [{ return_to: '/x' }, '"return_to" is not an option; did you mean "returnTo"?'],
    [{ returnTo: 7 }, '"returnTo" must be a string'],
    [null, 'takes an object with returnTo'],
    ['/x', 'takes an object with returnTo'],
  ])('requireSignIn(%j)', (options, problem) => {
    expect(() => untyped(world.auth, 'requireSignIn', options)).toThrow(
      expect.objectContaining({
        code: 'config_invalid',
        message: expect.stringContaining(`requireSignIn: ${problem}`),
      }),
    )
  })

  test('requireSignIn passed to Express without parentheses throws, and lets nobody through', async () => {
    world.app.get('/bare', world.auth.requireSignIn as never, (_req, res) => void res.send('through'))
    const answer = await browser.visit(`${world.url}/bare`)
    expect([answer.status, answer.text]).toEqual([500, expect.stringContaining('write auth.requireSignIn()')])
  })

  test.each([
    [{ returnTO: '/x' }, '"returnTO" is not an option; did you mean "returnTo"?'],
    [{ [SECRET]: '/x' }, '"(odd name)" is not an option; known are: returnTo'],
    [null, 'takes an object with returnTo'],
    ['ko', 'takes an object with returnTo'],
  ])('signInButton(%j)', (options, problem) => {
    const attempt = (): unknown => untyped(world.auth, 'signInButton', options)
    expect(attempt).toThrow(
      expect.objectContaining({ code: 'config_invalid', message: expect.stringContaining(`signInButton: ${problem}`) }),
    )
    expect(attempt).not.toThrow(SECRET)
  })
})
