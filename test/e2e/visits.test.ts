import { createServer, type Server } from 'node:http'
import { createRequire } from 'node:module'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import type { Express, Response } from 'express'
import helmet from 'helmet'
import { describeInBrowsers } from '../support/both-browsers.js'
import type { Person, TabBrowser } from '../support/tabs.js'
import { until } from '../support/until.js'
import { startWorld, type World } from '../support/world.js'

const { resolve } = createRequire(import.meta.url)
/** Libraries that fetch the pages behind links and forms, as people load them. */
const LIBRARIES = {
  turbo: resolve('@hotwired/turbo/dist/turbo.es2017-umd.js'),
  htmx: resolve('htmx.org/dist/htmx.js'),
  htmx2: resolve('htmx2/dist/htmx.js'),
}
const ALEX = '77700000001'

describeInBrowsers('what begins a sign-in', (launch) => {
  let browser: TabBrowser
  let world: World
  let others: Server
  /** One line for each answer that began an attempt: its path and `Sec-Fetch-Dest`. */
  let begun: string[]
  /** Another site, and one that is the app's sister: the same host on another port. */
  let otherSite: string
  let sister: string

  beforeAll(async () => {
    browser = await launch()
    begun = []
    world = await startWorld({
      sandbox: { autoSignIn: null },
      mount(app, auth) {
        app.use((req, res, next) => {
          res.on('finish', () => {
            const isBegun = String(res.getHeader('Set-Cookie') ?? '').includes('ppoppo-tx-')
            if (isBegun && req.originalUrl.startsWith('/auth/login')) begun.push(String(req.get('sec-fetch-dest')))
          })
          next()
        })
        app.use('/strict', helmet())
        app.use(auth)
      },
      routes: appRoutes,
    })
    others = createServer((req, res) => {
      res.setHeader('Content-Type', 'text/html')
      res.end(`<!doctype html><title>Elsewhere</title><h1>Elsewhere</h1>
<iframe src="${world.url}${decodeURIComponent(req.url?.slice(1) ?? '')}" width="500" height="500"></iframe>`)
    }).listen(0)
    const { port } = others.address() as AddressInfo
    otherSite = `http://127.0.0.1:${port}`
    sister = `http://localhost:${port}`
  })
  afterAll(async () => {
    await browser.close()
    others.closeAllConnections()
    others.close()
    await world.close()
  })

  /** Chooses Alex on the sandbox's page, and ends on the guarded one. */
  async function signsIn(person: Pick<Person, 'landsOn' | 'click' | 'readable'>, path: string): Promise<void> {
    await person.landsOn(/\/oauth\/authorize|\/interaction/)
    await person.click('button[value=alex]')
    await person.landsOn(world.url + path)
    expect(await person.readable()).toContain(ALEX)
  }

  test('a login form on a page with helmet’s default policy signs in', async () => {
    const person = await browser.newPerson()
    await person.goto(`${world.url}/strict/form`)
    await person.click('button')
    await signsIn(person, '/page?by=form')
  })

  test('C05 hovering over the login link with Turbo begins nothing; a click signs in', async () => {
    const person = await browser.newPerson()
    await person.goto(`${world.url}/with/turbo`)
    const before = begun.length
    const asked = asks('/auth/login')
    await person.hover('#link')
    await asked
    expect(begun.slice(before)).toEqual([])
    await person.click('#link')
    await signsIn(person, '/page?by=link')
    expect(begun.slice(before)).toEqual(['document'])
  })

  test.each(['turbo', 'htmx', 'htmx2'])('a login link and a login form sign in with %s', async (library) => {
    for (const [selector, path] of [
      ['#link', '/page?by=link'],
      ['#form button', '/page?by=form'],
    ] as const) {
      const person = await browser.newPerson()
      await person.goto(`${world.url}/with/${library}`)
      const before = begun.length
      await person.click(selector)
      await signsIn(person, path)
      expect([selector, ...begun.slice(before)]).toEqual([selector, 'document'])
    }
  })

  test('C05 a fetch of login begins nothing, and is told where to send the browser', async () => {
    const person = await browser.newPerson()
    await person.goto(`${world.url}/`)
    const before = begun.length
    const answer = await person.evaluate(
      `fetch('/auth/login?return_to=/page%3Fby=fetch').then(async (res) => ({ status: res.status, ...(await res.json()) }))`,
    )
    expect(answer).toMatchObject({ status: 400, code: 'navigation_required' })
    expect(begun.slice(before)).toEqual([])
    await person.evaluate(`void setTimeout(() => location.assign(${JSON.stringify(Object(answer).loginUrl)}))`)
    await signsIn(person, '/page?by=fetch')
  })

  test('C05 hidden frames of a sister domain push out no open sign-in', async () => {
    const person = await browser.newPerson()
    await person.goto(`${world.url}/page?mine`)
    await person.landsOn(/interaction|authorize/)
    const before = begun.length
    const tab = await person.newTab()
    for (let visit = 0; visit < 11; visit += 1) {
      const path = `/auth/login?visit=${visit}`
      await tab.goto(`${sister}/${encodeURIComponent(path)}`)
      expect(await (await tab.frame(path)).readable()).toContain('new tab')
    }
    expect(begun.slice(before)).toEqual([])
    await signsIn(person, '/page?mine')
  })

  test.each([
    ['login', '/auth/login?return_to=/page%3Fby=frame'],
    ['a guarded page', '/page?by=frame'],
  ])('%s in a frame of another site shows one link, which signs in in a new tab', async (_what, path) => {
    const person = await browser.newPerson()
    await person.goto(`${otherSite}/${encodeURIComponent(path)}`)
    const frame = await person.frame('/auth/login')
    const before = begun.length
    expect(await frame.evaluate('document.readyState && [...document.links].map(({ rel }) => rel)')).toEqual([
      'noopener nofollow',
    ])
    await frame.click('a')
    await signsIn(await person.nthTab(2), '/page?by=frame')
    expect(begun.slice(before)).toEqual(['document'])
  })

  test('the login link of our own page, shown in a frame of another site, leads to that link too', async () => {
    const person = await browser.newPerson()
    await person.goto(`${otherSite}/${encodeURIComponent('/with/nothing')}`)
    const before = begun.length
    await (await person.frame('/with/nothing')).click('#link')
    await (await person.frame('/auth/login')).click('a[target=_blank]')
    await signsIn(await person.nthTab(2), '/page?by=link')
    expect(begun.slice(before)).toEqual(['document'])
  })

  test('the login link in a frame that is ours, in a page that is ours, begins a sign-in', async () => {
    const person = await browser.newPerson()
    await person.goto(`${world.url}/framing`)
    const before = begun.length
    await (await person.frame('/with/nothing')).click('#link')
    await until(() => begun.slice(before).includes('iframe'), 'there is a login in the frame')
  })

  /** Resolves when the app is asked for `path` next. */
  function asks(path: string): Promise<void> {
    return new Promise((done) => {
      const look = (req: { url?: string }): void => {
        if (!req.url?.startsWith(path)) return
        world.server.off('request', look)
        done()
      }
      world.server.prependListener('request', look)
    })
  }
})

function appRoutes(app: Express): void {
  const page = (res: Response, body: string): void => {
    res.send(`<!doctype html><html lang="en"><head><title>App</title>${body}</html>`)
  }
  app.get('/favicon.ico', (_req, res) => void res.status(204).end())
  app.get('/strict/form', (_req, res) => page(res, `</head><body>${FORM}`))
  app.get('/framing', (_req, res) => page(res, '</head><body><iframe src="/with/nothing"></iframe>'))
  for (const [name, file] of Object.entries(LIBRARIES)) app.get(`/lib/${name}`, (_req, res) => res.sendFile(file))
  app.get('/with/:name', (req, res) => {
    page(
      res,
      `<script src="/lib/${req.params.name}" defer></script></head><body hx-boost:inherited="true" hx-boost="true">
<p><a id="link" href="/auth/login?return_to=/page%3Fby=link">Sign in</a></p>
${FORM}`,
    )
  })
}

const FORM = `<form id="form" method="post" action="/auth/login"><input type="hidden" name="return_to" value="/page?by=form"><button>Sign in</button></form>`
