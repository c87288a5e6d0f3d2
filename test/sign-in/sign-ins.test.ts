import { expect, test } from '@jest/globals'
import type { Express } from 'express'
import type { SignInSummary } from '../../src/request-types.js'
import { isSignedIn } from '../support/attempts.js'
import type { CookieBrowser } from '../support/cookie-browser.js'
import { describeOnStores } from '../support/stores.js'
import { COOKIES, startWorld, type World } from '../support/world.js'

function routes(app: Express): void {
  app.get('/sign-ins', (req, res, next) => {
    req.ppoppo.signIns().then((list) => res.json(list), next)
  })
  app.post('/end', (req, res, next) => {
    const id = req.query['object'] ? JSON.parse('{"id":1}') : String(req.query['id'] ?? '')
    req.ppoppo.endSignIn(id).then((ended) => res.json({ ended, status: req.ppoppo.status }), next)
  })
}

type Listed = Omit<SignInSummary, 'createdAt' | 'lastSeenAt'> & { createdAt: string; lastSeenAt: string }

async function list(world: World, browser: CookieBrowser): Promise<Listed[]> {
  return JSON.parse((await browser.visit(`${world.url}/sign-ins`)).text)
}
const end = async (world: World, browser: CookieBrowser, id: string) =>
  JSON.parse((await browser.visit(`${world.url}/end?id=${encodeURIComponent(id)}`, { method: 'POST' })).text)

describeOnStores('C29 signIns and endSignIn', (storage) => {
  test('C29 lists a person’s sign-ins: created, last seen, user agent, current; no tokens', async () => {
    const world = await startWorld({ options: storage.options(), routes })
    try {
      const [one, two] = [await world.signedIn(), await world.signedIn()]
      await world.signedIn('mina')
      const listed = await list(world, two)
      expect(listed).toHaveLength(2)
      for (const line of listed) {
        expect(Object.keys(line).sort()).toEqual(['createdAt', 'current', 'id', 'lastSeenAt', 'userAgent'])
        expect(line.userAgent).toBe('CookieBrowser/1.0 (tests)')
        expect(Math.abs(Date.parse(line.createdAt) - Date.now())).toBeLessThan(20_000)
        expect(Date.parse(line.lastSeenAt)).toBeGreaterThanOrEqual(Date.parse(line.createdAt))
      }
      expect(listed.map((line) => line.current).sort()).toEqual([false, true])
      const current = listed.find((line) => line.current)
      expect((await list(world, one)).find((line) => line.id === current?.id)?.current).toBe(false)
      expect((await world.browser().visit(`${world.url}/sign-ins`)).status).toBe(401)
    } finally {
      await world.close()
    }
  })

  test('C29 ends a sign-in of the same person only; invalid ids end nothing', async () => {
    const world = await startWorld({ options: storage.options(), routes })
    try {
      const [laptop, phone, mina] = [await world.signedIn(), await world.signedIn(), await world.signedIn('mina')]
      const minas = (await list(world, mina))[0]?.id ?? ''
      const mine = (await list(world, laptop)).find((line) => line.current)?.id ?? ''
      const tag = mine.slice(0, 23)
      const odd = [minas, '', '.', '*', tag, `${tag}*`, `${mine}x`, mine.slice(0, -1), '__proto__', '../', `${tag}}:x`]
      for (const id of [...odd, 'x'.repeat(5000), '\u0000', `${mine}\n`])
        expect([id, await end(world, laptop, id)]).toEqual([id, { ended: false, status: 'signed-in' }])
      const object = await laptop.visit(`${world.url}/end?object=1`, { method: 'POST' })
      expect(JSON.parse(object.text).ended).toBe(false)
      expect(await isSignedIn(world, mina)).toBe(true)

      const other = (await list(world, laptop)).find((line) => !line.current)?.id ?? ''
      expect(await end(world, laptop, other)).toEqual({ ended: true, status: 'signed-in' })
      expect(await end(world, laptop, other)).toEqual({ ended: false, status: 'signed-in' })
      expect([await isSignedIn(world, phone), await isSignedIn(world, laptop)]).toEqual([false, true])
      expect(world.events.filter((event) => event.type === 'sign_out')).toMatchObject([
        { signInId: other, reason: 'ended_elsewhere' },
      ])

      expect(await end(world, laptop, mine)).toEqual({ ended: true, status: 'signed-out' })
      expect([await isSignedIn(world, laptop), laptop.jar.has(COOKIES.session)]).toEqual([false, false])
    } finally {
      await world.close()
    }
  })
})
