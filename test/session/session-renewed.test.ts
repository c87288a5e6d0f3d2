import { afterEach, expect, test } from '@jest/globals'
import type { Express } from 'express'
import { describeOnStores } from '../support/stores.js'
import { COOKIES, startWorld, type World } from '../support/world.js'

type Step = 'regenerate' | 'save' | 'reload'

/** Does what the query names, one after the other, with something in the session. */
function routes(app: Express): void {
  app.post('/steps', async (req, res) => {
    for (const step of String(req.query['steps']).split(',') as Step[]) {
      await new Promise<void>((resolve, reject) => {
        req.session[step]((error: unknown) => (error ? reject(error) : resolve()))
      })
      if (step === 'regenerate' && req.query['put']) Object.assign(req.session, { basket: [req.query['put']] })
    }
    res.json({ id: req.sessionID, same: req.session.id === req.sessionID })
  })
}

let world: World
afterEach(() => world.close())

const steps = (browser: ReturnType<World['browser']>, list: string, put = '') =>
  browser.visit(`${world.url}/steps?steps=${list}&put=${put}`, { method: 'POST' })
const basketOf = async (browser: ReturnType<World['browser']>): Promise<unknown> =>
  JSON.parse((await browser.visit(`${world.url}/basket`)).text).basket

describeOnStores('a session that the app renews', (storage) => {
  test.each(['regenerate', 'regenerate,save', 'regenerate,save,reload', 'regenerate,save,reload,save,reload'])(
    '%s in one request: the browser gets the new session with its content, and the old one has ended',
    async (list) => {
      world = await startWorld({ options: storage.options(), routes })
      for (const visitor of [await world.signedIn(), world.browser()]) {
        await visitor.visit(`${world.url}/basket?add=old`)
        const old = visitor.clone()
        const answer = await steps(visitor, list, 'pear')
        expect([answer.status, answer.cookies.filter((line) => line.startsWith(`${COOKIES.session}=`))]).toEqual([
          200,
          [expect.stringContaining('; Expires=')],
        ])
        expect(visitor.jar.get(COOKIES.session)).toContain(JSON.parse(answer.text).id)
        expect([await basketOf(visitor), await basketOf(old)]).toEqual([['pear'], []])
      }
    },
  )

  test('a session that is regenerated and saved empty gives the browser a new one', async () => {
    world = await startWorld({ options: storage.options(), routes })
    const visitor = world.browser()
    await visitor.visit(`${world.url}/basket?add=old`)
    const before = visitor.jar.get(COOKIES.session)
    await steps(visitor, 'regenerate,save,reload')
    expect([visitor.jar.has(COOKIES.session), visitor.jar.get(COOKIES.session) === before]).toEqual([true, false])
    expect(await basketOf(visitor)).toEqual([])
  })
})
