import { EventEmitter, once } from 'node:events'
import { afterEach, expect, test } from '@jest/globals'
import express, { type Express, type Request } from 'express'
import request, { type Response } from 'supertest'
import type { PpoppoEvent } from '../../src/audit-events.js'
import { type Ppoppo, type PpoppoOptions, ppoppo } from '../../src/index.js'
import { cookieNamesOf } from '../../src/session/cookie-names.js'
import { isUnasked } from '../../src/session/session-on-demand.js'
import { signInAs } from '../../src/testing/index.js'
import { DEV, KEY, SECRET } from '../support/config.js'
import { describeOnStores, type TestStorage } from '../support/stores.js'
import { until, untilWorks } from '../support/until.js'

const ALEX = { sub: '01HZY3V9QK8E5R6T7W8X9Y0Z1A', ppnum: '12312345678' } as const
const SITE = { ...DEV, issuer: 'http://localhost:1', sessionSecret: SECRET, vaultKeys: KEY }

/** An app, and the cookie of a browser in which Alex is signed in. */
interface Site {
  readonly app: Express
  readonly alex: string
  readonly events: PpoppoEvent[]
  /** All that is stored; nothing in memory. */
  stored(): Promise<Readonly<Record<string, string>>>
}

const opened: Ppoppo[] = []
afterEach(async () => {
  for (const auth of opened.splice(0)) await auth.close()
})

async function openSite(storage: TestStorage, routes: (app: Express) => void = () => {}): Promise<Site> {
  const events: PpoppoEvent[] = []
  const options = storage.options()
  const auth = openInstance({ ...options, onEvent: (event) => events.push(event) })
  const app = express().use(auth)
  app.get('/basket', (req, res) => void res.json({ basket: basketOf(req), isSignedIn: req.ppoppo.isSignedIn }))
  app.get('/put/:what', (req, res) => {
    basketOf(req).push(req.params.what)
    res.send('put')
  })
  routes(app)
  const alex = await untilWorks(() => signInAs(auth, ALEX))
  return { app, alex, events, stored: () => storage.contents(options) }
}

function openInstance(options: PpoppoOptions): Ppoppo {
  const auth = ppoppo({ ...SITE, ...options })
  opened.push(auth)
  return auth
}

/** A list in an object in the session. Asks for the session. */
function basketOf(req: Request): string[] {
  const session = Object(req.session)
  session.shop ??= { basket: [] }
  return session.shop.basket
}

/** `cookie` is what the browser sends; a visitor has none. */
const visit = (app: Express, path: string, cookie = ''): Promise<Response> =>
  Promise.resolve(cookie === '' ? request(app).get(path) : request(app).get(path).set('Cookie', cookie))
const cookiesOf = (answer: Response): readonly string[] => answer.get('Set-Cookie') ?? []
const cookieOf = (answer: Response): string => cookiesOf(answer)[0]?.split(';')[0] ?? ''
/** The session that a cookie names. */
const idIn = (cookie: string): string => /=s:([^.]+)[.]/.exec(decodeURIComponent(cookie))?.[1] ?? 'none'

describeOnStores('req.session on demand', (storage) => {
  test('a page that does not ask for req.session makes none, stores nothing and sets no cookie, whoever is signed in', async () => {
    const asked: boolean[] = []
    const { app, alex, events, stored } = await openSite(storage, (site) => {
      site.get('/page', (req, res) => {
        const { session, sessionID } = Object.getOwnPropertyDescriptors(req)
        res.once('close', () => asked.push(!isUnasked(req)))
        res.json({ status: req.ppoppo.status, isListed: session?.enumerable && sessionID?.enumerable })
      })
    })
    const before = await stored()
    const visitor = await visit(app, '/page')
    expect([visitor.body, cookiesOf(visitor)]).toEqual([{ status: 'signed-out', isListed: true }, []])
    const person = await visit(app, '/page', alex)
    expect([person.body, cookiesOf(person)]).toEqual([{ status: 'signed-in', isListed: true }, []])
    await until(() => asked.length === 2, 'both answers are over')
    expect([asked, await stored(), events]).toEqual([[false, false], before, []])
  })

  test('req.sessionID, read alone, is the id of the session, and never that of one that has ended', async () => {
    const { app, alex, stored } = await openSite(storage, (site) => {
      site.get('/id', (req, res) => void res.json({ id: req.sessionID }))
      site.get('/ids', (req, res) => void res.json([req.sessionID, req.session.id, req.sessionID]))
      site.get('/id-put', (req, res) => {
        const { sessionID } = req
        basketOf(req).push('apple')
        res.send(sessionID)
      })
      site.get('/end', (req, res, next) => void req.ppoppo.signOut().then(() => res.send('ended'), next))
    })
    const before = await stored()
    const id = idIn(alex)
    expect((await visit(app, '/id', alex)).body).toEqual({ id })
    expect((await visit(app, '/ids', alex)).body).toEqual([id, id, id])
    const alone = await visit(app, '/id')
    expect([alone.body.id, cookiesOf(alone)]).toEqual([expect.stringMatching(/^[\w-]{32}$/), []])
    const { body } = await visit(app, '/ids')
    expect(body).toEqual([body[0], body[0], body[0]])
    expect(await stored()).toEqual(before)
    const put = await visit(app, '/id-put')
    expect(idIn(cookieOf(put))).toBe(put.text)
    await visit(app, '/end', alex)
    expect((await visit(app, '/id', alex)).body.id).not.toBe(id)
  })

  test.each<[string, (req: Request) => void]>([
    ['= null', (req) => void Object.assign(req, { session: null })],
    ['= undefined', (req) => void Object.assign(req, { session: undefined })],
    ['deleted', (req) => void Reflect.deleteProperty(req, 'session')],
  ])('req.session %s stores nothing, sets no cookie, and leaves the sign-in as it was', async (_how, takeOff) => {
    const { app, alex, events, stored } = await openSite(storage, (site) => {
      site.get('/off', (req, res) => {
        takeOff(req)
        res.json({ session: req.session ?? 'none', isSignedIn: req.ppoppo.isSignedIn })
      })
    })
    await visit(app, '/put/apple', alex)
    const before = await stored()
    for (const cookie of ['', alex]) {
      const answer = await visit(app, '/off', cookie)
      expect([answer.body, cookiesOf(answer)]).toEqual([{ session: 'none', isSignedIn: cookie !== '' }, []])
    }
    expect([await stored(), events]).toEqual([before, []])
    expect((await visit(app, '/basket', alex)).body).toEqual({ basket: ['apple'], isSignedIn: true })
  })

  test('what is put in after the headers left is saved for who came with a session, and else a warning', async () => {
    const { app, alex, events, stored } = await openSite(storage, (site) => {
      site.get('/late', (req, res) => {
        res.write('one ')
        basketOf(req).push('late')
        res.end('two')
      })
    })
    const before = await stored()
    const visitor = await visit(app, '/late')
    expect([visitor.text, cookiesOf(visitor), await stored()]).toEqual(['one two', [], before])
    expect(events.splice(0)).toEqual([expect.objectContaining({ type: 'warning', code: 'session_not_saved' })])
    const signedIn = await visit(app, '/late', alex)
    expect([signedIn.text, cookiesOf(signedIn), events]).toEqual(['one two', [], []])
    expect((await visit(app, '/basket', alex)).body).toEqual({ basket: ['late'], isSignedIn: true })
  })

  test('an object made from the request has the same session, whichever of them is asked first, or one of its own', async () => {
    const { app, alex } = await openSite(storage, (site) => {
      site.get('/made/:first', (req, res) => {
        const made: Request = Object.create(req)
        const [first, second] = req.params.first === 'made' ? [made, req] : [req, made]
        basketOf(first).push(req.params.first)
        const isSame = first.session === second.session && first.sessionID === second.sessionID
        res.json({ isSame, basket: basketOf(second), id: made.sessionID })
      })
      site.get('/off-made', (req, res) => {
        const made: Request = Object.create(req)
        Object.assign(made, { session: null })
        res.json({ made: made.session, basket: basketOf(req) })
      })
    })
    for (const cookie of ['', alex]) {
      const former = await visit(app, '/made/made', cookie)
      const own = cookie || cookieOf(former)
      expect(former.body).toEqual({ isSame: true, basket: ['made'], id: idIn(own) })
      const latter = await visit(app, '/made/req', own)
      expect(latter.body).toEqual({ isSame: true, basket: ['made', 'req'], id: idIn(own) })
      expect((await visit(app, '/off-made', own)).body).toEqual({ made: null, basket: ['made', 'req'] })
      expect((await visit(app, '/basket', own)).body.basket).toEqual(['made', 'req'])
    }
  })

  test.each([true, false])(
    'a second instance has the session of the first (asked for before it: %s)',
    async (isAsked) => {
      const sessions: unknown[] = []
      const { app, alex, events } = await openSite(storage, (site) => {
        site.use('/both', (req, _res, next) => {
          sessions.length = 0
          if (isAsked) sessions.push(req.session)
          next()
        })
        site.use('/both', openInstance({ ...storage.options(), clientId: 'club_login_client' }))
        site.get('/both', (req, res) => {
          sessions.push(req.session, req.session)
          basketOf(req).push('both')
          res.json({ isSame: new Set(sessions).size === 1, id: req.sessionID })
        })
      })
      const visitor = await visit(app, '/both')
      const { session } = cookieNamesOf({ ...SITE, isHttps: false })
      expect([visitor.body.isSame, cookiesOf(visitor)]).toEqual([true, [expect.stringContaining(`${session}=`)]])
      for (const cookie of [cookieOf(visitor), alex]) {
        const answer = await visit(app, '/both', cookie)
        expect([answer.body, cookiesOf(answer)]).toEqual([{ isSame: true, id: idIn(cookie) }, []])
      }
      expect((await visit(app, '/basket', cookieOf(visitor))).body.basket).toEqual(['both', 'both'])
      expect((await visit(app, '/basket', alex)).body).toEqual({ basket: ['both'], isSignedIn: true })
      expect(events).toEqual([])
    },
  )

  test('two requests of one session at once do not share what is in it', async () => {
    const slowRequest = new EventEmitter()
    const entered = once(slowRequest, 'entered')
    const { app, alex } = await openSite(storage, (site) => {
      site.get('/slow', async (req, res) => {
        const basket = basketOf(req)
        slowRequest.emit('entered')
        await once(slowRequest, 'go on')
        res.json({ basket })
      })
      site.get('/put-and-drop', (req, res) => {
        basketOf(req).push('dropped')
        Object.assign(req, { session: null })
        res.send('dropped')
      })
    })
    await visit(app, '/put/apple', alex)
    const slow = visit(app, '/slow', alex)
    await entered
    await visit(app, '/put-and-drop', alex)
    expect((await visit(app, '/basket', alex)).body.basket).toEqual(['apple'])
    await visit(app, '/put/pear', alex)
    slowRequest.emit('go on')
    expect((await slow).body).toEqual({ basket: ['apple'] })
    expect((await visit(app, '/basket', alex)).body.basket).toEqual(['apple', 'pear'])
  })
})
