import { expect, test } from '@jest/globals'
import type { Express } from 'express'
import { beginAttempt, isSignedIn } from '../support/attempts.js'
import { describeOnStores } from '../support/stores.js'
import { elapse, until } from '../support/until.js'
import { COOKIES, startWorld, type World } from '../support/world.js'

/** A request that waits inside the app until it is told to go on. */
interface Gate {
  /** Resolves when the request is inside. */
  readonly entered: Promise<void>
  open(): void
}

const gates = new Map<string, { enter: () => void; opened: Promise<void> }>()

function gate(name: string): Gate {
  let enter = (): void => {}
  let open = (): void => {}
  const entered = new Promise<void>((resolve) => {
    enter = resolve
  })
  const opened = new Promise<void>((resolve) => {
    open = resolve
  })
  gates.set(name, { enter, opened })
  return { entered, open }
}

function slowRoutes(app: Express): void {
  app.get('/slow/:gate', async (req, res) => {
    const session = Object(req.session)
    const one = gates.get(req.params.gate)
    one?.enter()
    await one?.opened
    session.basket = ['late']
    if (req.query['save']) await new Promise<void>((resolve) => void req.session.save(() => resolve()))
    if (req.query['token']) await req.ppoppo.accessToken().catch(() => {})
    res.send('done')
  })
}

const post = { method: 'POST', headers: { 'Sec-Fetch-Site': 'same-origin' } }
const signOut = (world: World, browser: ReturnType<World['browser']>, query = '') =>
  browser.visit(`${world.url}/auth/logout${query}`, post)

describeOnStores('C28 sign-out is final', (storage) => {
  test('C28 a sign-out removes record, index entry and session, and the old cookie has no effect later', async () => {
    const options = storage.options()
    const world = await startWorld({ options, routes: slowRoutes })
    try {
      const browser = await world.signedIn()
      await browser.visit(`${world.url}/basket?add=apple`)
      const old = browser.clone()
      const answer = await signOut(world, browser)
      expect([answer.status, browser.jar.has(COOKIES.session)]).toEqual([303, false])
      const left = Object.keys(await storage.contents(options))
      expect(left.filter((key) => /:(signin|user|lock):/.test(key))).toEqual([])
      for (const path of ['/me', '/', '/basket?add=pear', '/auth/session', '/slow/none?save=1']) {
        const late = await old.visit(`${world.url}${path}`)
        expect([path, late.cookies]).toEqual([path, []])
        expect(late.status).toBe(path === '/me' ? 302 : 200)
      }
      expect(JSON.parse((await old.visit(`${world.url}/basket`)).text).basket).toEqual([])
    } finally {
      await world.close()
    }
  })

  test.each(['', '?save=1'])(
    'C28 a slow request that writes its old session back%s brings nothing back',
    async (query) => {
      const world = await startWorld({ options: storage.options(), routes: slowRoutes })
      try {
        const browser = await world.signedIn()
        const old = browser.clone()
        const slow = gate('one')
        const answering = old.visit(`${world.url}/slow/one${query}`)
        await slow.entered
        await signOut(world, browser)
        await browser.go(`${world.url}/auth/login?return_to=/me`) // and signs in again
        slow.open()
        const late = await answering
        expect([late.status, late.cookies]).toEqual([200, []])
        expect(await isSignedIn(world, old)).toBe(false)
        expect(JSON.parse((await old.visit(`${world.url}/basket`)).text).basket).toEqual([])
        expect(await isSignedIn(world, browser)).toBe(true)
      } finally {
        await world.close()
      }
    },
  )

  test('C28 a token refresh in flight does not restore a sign-in that was signed out', async () => {
    const options = storage.options()
    const world = await startWorld({
      options,
      routes: slowRoutes,
      sandbox: { accessTokenTtlSeconds: 1, refreshTokenAnswer: 'rotate' },
    })
    try {
      const browser = await world.signedIn()
      const old = browser.clone()
      await elapse(1_100) // the life of the access token, by the clock of PAS
      world.sandbox.control.inject({
        endpoint: 'token',
        grantType: 'refresh_token',
        fault: { kind: 'delay', delayMs: 2_000 },
      })
      const refreshing = old.visit(`${world.url}/token`)
      await until(() => world.sandbox.control.counters.tokenRefresh > 0, 'the refresh is at PAS')
      expect((await signOut(world, browser)).status).toBe(303)
      expect((await refreshing).status).not.toBe(200)
      expect(await isSignedIn(world, old)).toBe(false)
      const left = Object.keys(await storage.contents(options))
      expect(left.filter((key) => /:(signin|user):/.test(key))).toEqual([])
    } finally {
      await world.close()
    }
  })

  test('C28 after signOut(), req.session is a new one, which is stored only if something is put into it', async () => {
    const world = await startWorld({
      options: storage.options(),
      routes: (app) => {
        app.post('/bye', async (req, res) => {
          const before = req.sessionID
          await req.ppoppo.signOut()
          if (req.query['keep']) Object.assign(req.session, { basket: ['new'] })
          res.json({ isNew: before !== req.sessionID, status: req.ppoppo.status, user: req.ppoppo.user ?? null })
        })
        app.post('/bye-late', async (req, res) => {
          res.write('begun ')
          await req.ppoppo.signOut()
          res.end('signed out')
        })
        app.post('/bye-destroyed', (req, res, next) => {
          req.session.destroy(() => req.ppoppo.signOut().then(() => res.send('ok'), next))
        })
      },
    })
    try {
      for (const [path, hasCookie, basket] of [
        ['/bye', false, []],
        ['/bye?keep=1', true, ['new']],
        ['/bye-late', true, []],
        ['/bye-destroyed', false, []],
      ] as const) {
        const browser = await world.signedIn()
        await browser.visit(`${world.url}/basket?add=old`)
        const old = browser.clone()
        const answer = await browser.visit(`${world.url}${path}`, post)
        expect([path, answer.status, browser.jar.has(COOKIES.session)]).toEqual([path, 200, hasCookie])
        if (path.startsWith('/bye?') || path === '/bye')
          expect(JSON.parse(answer.text)).toEqual({ isNew: true, status: 'signed-out', user: null })
        expect(await isSignedIn(world, old)).toBe(false)
        expect(JSON.parse((await browser.visit(`${world.url}/basket`)).text).basket).toEqual(basket)
      }
      expect(world.events.filter((event) => event.type === 'store_unavailable')).toEqual([])
    } finally {
      await world.close()
    }
  })
})

describeOnStores('C29 sign-out everywhere', (storage) => {
  test('C29 sign-out everywhere ends every sign-in of this person, also one in progress, and nobody else’s', async () => {
    const world = await startWorld({ options: storage.options() })
    try {
      const [laptop, phone, mina] = [await world.signedIn(), await world.signedIn(), await world.signedIn('mina')]
      const tablet = world.browser()
      const begunBefore = await beginAttempt(world, tablet)
      const television = world.browser()
      const exchanging = await beginAttempt(world, television)
      world.sandbox.control.inject({ endpoint: 'token', fault: { kind: 'delay', delayMs: 700 } })
      const exchanges = world.sandbox.control.counters.tokenAuthorizationCode
      const arriving = television.visit(exchanging)
      await until(() => world.sandbox.control.counters.tokenAuthorizationCode > exchanges, 'its code is at PAS')
      expect((await signOut(world, laptop, '?everywhere=1')).status).toBe(303)
      const [refused, alsoRefused] = [await arriving, await tablet.visit(begunBefore)]
      expect([refused.status, alsoRefused.status]).toEqual([409, 409])
      for (const browser of [laptop, phone, tablet, television]) expect(await isSignedIn(world, browser)).toBe(false)
      expect(await isSignedIn(world, mina)).toBe(true)
      // A sign-in begun afterwards is as good as any.
      expect((await laptop.go(`${world.url}/auth/login?return_to=/me`)).status).toBe(200)
    } finally {
      await world.close()
    }
  })
})
