import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import type { ServerResponse } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, expect, jest, test } from '@jest/globals'
import express, { type Express } from 'express'
import onHeaders from 'on-headers'
import { type Clock, createClock, HOUR } from '../support/clock.js'
import type { Answer, CookieBrowser } from '../support/cookie-browser.js'
import { describeWithNginx, type Nginx, reserveNginx } from '../support/nginx.js'
import { describeOnStores, type TestStorage } from '../support/stores.js'
import { startWorld, type World, type WorldOptions } from '../support/world.js'

let folder = ''
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'ppoppo-public-'))
  writeFileSync(join(folder, 'logo.svg'), '<svg xmlns="http://www.w3.org/2000/svg"/>')
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const set =
  (headers: Readonly<Record<string, string | readonly string[]>>) =>
  (res: ServerResponse): void => {
    for (const [name, value] of Object.entries(headers)) res.setHeader(name, value)
    res.end('page')
  }
const inAnHour = (): string => new Date(Date.now() + HOUR).toUTCString()

/** Answers that a shared cache may give to others. */
const SHARED: Readonly<Record<string, (res: ServerResponse) => void>> = {
  public: set({ 'Cache-Control': 'public' }),
  'public, max-age=0': set({ 'Cache-Control': 'public, max-age=0' }),
  'in capitals, and with blanks': set({ 'CACHE-CONTROL': ' Max-Age = 0 ,PUBLIC ' }),
  'several values': set({ 'Cache-Control': ['max-age=60', 'public'] }),
  's-maxage': set({ 'Cache-Control': 'max-age=0, s-maxage=60' }),
  's-maxage=0': set({ 'Cache-Control': 's-maxage=0' }),
  'max-age alone': set({ 'Cache-Control': 'max-age=60' }),
  'max-age in quotes': set({ 'Cache-Control': 'max-age="60"' }),
  immutable: set({ 'Cache-Control': 'immutable' }),
  'stale-while-revalidate': set({ 'Cache-Control': 'max-age=0, stale-while-revalidate=60' }),
  'private for one header only': set({ 'Cache-Control': 'public, private="X-Name", max-age=60' }),
  'no-cache for one header only': set({ 'Cache-Control': 'max-age=60, no-cache="X-Name"' }),
  'a word that only looks like private': set({ 'Cache-Control': 'max-age=60, x-private' }),
  Expires: set({ Expires: inAnHour() }),
  'Expires beside no-cache': set({ 'Cache-Control': 'no-cache', Expires: inAnHour() }),
  'CDN-Cache-Control': set({ 'Cache-Control': 'private', 'CDN-Cache-Control': 'max-age=60' }),
  'Cloudflare-CDN-Cache-Control': set({ 'Cache-Control': 'no-store', 'Cloudflare-CDN-Cache-Control': 'max-age=60' }),
  'Surrogate-Control': set({ 'Cache-Control': 'private, no-store', 'surrogate-control': 'max-age=60' }),
  'X-Accel-Expires': set({ 'X-Accel-Expires': '60', 'Cache-Control': 'private' }),
  'a CDN that may keep it longer than browsers': set({ 'CDN-Cache-Control': 'max-age=0, s-maxage=60' }),
  'a CDN that may answer from what is old': set({ 'Surrogate-Control': 'max-age=0, stale-while-revalidate=60' }),
  'headers given to writeHead': (res) => res.writeHead(200, { 'cache-control': 'public, max-age=60' }).end('page'),
  'a list given to writeHead': (res) => res.writeHead(200, 'OK', ['Cache-Control', 'public']).end('page'),
  'pairs given to writeHead': (res) => {
    Reflect.apply(res.writeHead, res, [200, [['Cache-Control', 'public']]])
    res.end('page')
  },
  'a stream': (res) => {
    res.setHeader('Cache-Control', 'public, max-age=60')
    res.write('pa')
    res.end('ge')
  },
  'headers set at the last moment': (res) => {
    onHeaders(res, () => void res.setHeader('Cache-Control', 'public'))
    res.end('page')
  },
  'a 304': (res) => res.writeHead(304, { 'Cache-Control': 'public, max-age=0' }).end(),
  'a 304 that says nothing': (res) => res.writeHead(304).end(),
}

/** Answers that nobody else is given, or that become so with a word. */
const OWN: Readonly<Record<string, readonly [(res: ServerResponse) => void, string]>> = {
  'nothing said': [set({}), 'private'],
  private: [set({ 'Cache-Control': 'private, max-age=60' }), 'private, max-age=60'],
  'no-store': [set({ 'Cache-Control': 'no-store' }), 'no-store'],
  'private, whatever else is there': [set({ 'Cache-Control': 'public, private' }), 'public, private'],
  'no-cache': [set({ 'Cache-Control': 'no-cache' }), 'private, no-cache'],
  'max-age=0': [set({ 'Cache-Control': 'max-age=0, must-revalidate' }), 'private, max-age=0, must-revalidate'],
  'Expires in the past': [set({ Expires: '0' }), 'private'],
  'a CDN that revalidates every time': [
    set({ 'Cache-Control': 'private', 'CDN-Cache-Control': 'no-cache' }),
    'private',
  ],
  'a surrogate that revalidates every time': [set({ 'Surrogate-Control': 'max-age=0' }), 'private'],
  'CDNs told not to': [set({ 'Cache-Control': 'private', 'CDN-Cache-Control': 'no-store' }), 'private'],
}

function routes(app: Express): void {
  app.use('/static', express.static(folder))
  app.use('/for-an-hour', express.static(folder, { maxAge: HOUR }))
  for (const [name, answer] of [...Object.entries(SHARED), ...Object.entries(OWN).map(([n, [a]]) => [n, a] as const)]) {
    app.get(`/as/${encodeURIComponent(name)}`, (req, res) => {
      if (req.query['write']) Object.assign(req.session, { basket: ['apple'] })
      if (req.query['destroy']) req.session.destroy(() => answer(res))
      else if (req.query['out']) void req.ppoppo.signOut().then(() => answer(res))
      else answer(res)
    })
  }
}

const nameOf = (line: string): string => line.slice(0, line.indexOf('='))
const sessionLines = ({ cookies }: Answer): readonly string[] =>
  cookies.filter((line) => /^(__Host-)?ppoppo(-[\w-]{8})?=/.test(line))
const cacheControl = ({ headers }: Answer): string => headers.get('cache-control') ?? ''

let world: World
let clock: Clock
afterEach(() => world.close())

async function start(storage: TestStorage, more: WorldOptions = {}): Promise<void> {
  clock = createClock()
  const session = { idleMs: 40 * HOUR }
  const sandbox = { accessTokenTtlSeconds: 100 * 24 * 3600 }
  const options = { ...storage.options(), session }
  world = await startWorld({ options, runtime: clock.runtime, sandbox, routes, ...more })
}

/** A signed-in browser whose session cookie is due for renewal. */
async function dueBrowser(): Promise<CookieBrowser> {
  const browser = await world.signedIn()
  await browser.visit(`${world.url}/me`)
  clock.advance(11 * HOUR)
  return browser
}

const as = (name: string, query = ''): string => `${world.url}/as/${encodeURIComponent(name)}${query}`

describeOnStores('a response that a shared cache may store', (storage) => {
  test('never has a renewed session cookie: the next private response does', async () => {
    await start(storage)
    const browser = await dueBrowser()
    for (const [name] of Object.entries(SHARED)) {
      const answer = await browser.visit(as(name))
      expect([name, answer.cookies, answer.headers.get('vary')]).toEqual([name, [], null])
    }
    const file = await browser.visit(`${world.url}/static/logo.svg`)
    expect([file.cookies, cacheControl(file)]).toEqual([[], 'public, max-age=0'])
    const again = await browser.visit(`${world.url}/static/logo.svg`, {
      headers: { 'If-None-Match': file.headers.get('etag') ?? '' },
    })
    expect([again.status, again.cookies]).toEqual([304, []])
    expect(sessionLines(await browser.visit(`${world.url}/`))).toHaveLength(1)
  })

  test('has no session cookie either if the moving clock shortens the lifetime that express-session measures', async () => {
    await start(storage)
    const browser = await world.signedIn()
    const time = Date.now.bind(Date)
    let asked = 0
    const clockSpy = jest.spyOn(Date, 'now').mockImplementation(() => time() + asked++)
    try {
      for (const name of ['public', 'a stream', 'nothing said']) {
        const answer = await browser.visit(as(name, '?write=1'))
        expect([name, answer.cookies]).toEqual([name, []])
      }
      expect(asked).toBeGreaterThan(0)
    } finally {
      clockSpy.mockRestore()
    }
  })

  test('becomes private with a new session', async () => {
    await start(storage)
    for (const name of Object.keys(SHARED)) {
      const answer = await world.browser().visit(as(name, '?write=1'))
      expect([name, sessionLines(answer).length, cacheControl(answer)]).toEqual([name, 1, 'private, no-store'])
      for (const header of ['expires', 'cdn-cache-control', 'surrogate-control', 'x-accel-expires'])
        expect([name, header, answer.headers.get(header)]).toEqual([name, header, null])
    }
  })

  test.each(['?destroy=1', '?out=1'])('becomes private if it removes a session (%s)', async (query) => {
    await start(storage)
    for (const name of ['public', 's-maxage', 'a stream', 'CDN-Cache-Control', 'headers given to writeHead']) {
      const answer = await (await world.signedIn()).visit(as(name, query))
      expect([name, sessionLines(answer), cacheControl(answer)]).toEqual([
        name,
        [expect.stringContaining('Expires=Thu, 01 Jan 1970')],
        'private, no-store',
      ])
    }
  })

  test('a renewed cookie makes a response without Cache-Control private, and does not change the others', async () => {
    await start(storage)
    for (const [name, [, said]] of Object.entries(OWN)) {
      const answer = await (await dueBrowser()).visit(as(name))
      expect([name, sessionLines(answer).length, cacheControl(answer)]).toEqual([name, 1, said])
      // A CDN takes it in place of Cache-Control, and with a 304 gives away what it kept.
      expect([name, answer.headers.get('surrogate-control')]).toEqual([name, null])
      expect([null, 'no-store']).toContain(answer.headers.get('cdn-cache-control'))
      expect([name, (await world.browser().visit(as(name))).cookies]).toEqual([name, []])
    }
  })

  test('a browser that gets only 304 Not Modified keeps its sign-in', async () => {
    await start(storage)
    const browser = await dueBrowser()
    expect(sessionLines(await browser.visit(as('a 304 that says nothing')))).toEqual([])
    clock.advance(10 * HOUR)
    const answer = await browser.visit(as('a 304 that says nothing'))
    expect([sessionLines(answer).length, cacheControl(answer)]).toEqual([1, 'private'])
  })

  test('is not made by a middleware that sets the headers of all responses, before or after auth', async () => {
    const forAll: express.RequestHandler = (_req, res, next) => {
      onHeaders(res, () => {
        res.removeHeader('Cache-Control')
        res.setHeader('Cache-Control', 'public, max-age=3600')
        res.setHeader('CDN-Cache-Control', 'max-age=3600')
      })
      next()
    }
    for (const order of ['before', 'after'] as const) {
      await start(storage, {
        mount: (app, auth) => (order === 'before' ? app.use(forAll, auth) : app.use(auth, forAll)),
      })
      const browser = world.browser()
      const answers = [await browser.visit(`${world.url}/auth/login?return_to=/basket?add=apple`)]
      for (let { location } = answers[0] ?? { location: '' }; location !== ''; ) {
        const answer = await browser.visit(location)
        if (location.startsWith(world.url)) answers.push(answer)
        location = answer.location
      }
      answers.push(await browser.visit(`${world.url}/auth/logout`, { method: 'POST', form: {} }))
      const withCookies = answers.filter(({ cookies }) => cookies.length > 0)
      expect([order, withCookies.flatMap(({ cookies }) => cookies.map(nameOf)).length > 4]).toEqual([order, true])
      for (const answer of withCookies)
        expect([order, cacheControl(answer), answer.headers.get('cdn-cache-control')]).toEqual([
          order,
          expect.stringMatching(/private|no-store/),
          null,
        ])
      expect(cacheControl(await world.browser().visit(`${world.url}/`))).toBe('public, max-age=3600')
      if (order === 'before') await world.close()
    }
  })
})

describeWithNginx('a page for everyone, behind an nginx that caches it with all its headers', () => {
  let nginx: Nginx
  afterEach(() => nginx.close())

  test('the next visitor is anonymous, whatever cookie the first one had', async () => {
    await start({ kind: 'memory', options: () => ({}), contents: async () => ({}) })
    nginx = await reserveNginx()
    await nginx.start(
      `location / {
        proxy_pass ${world.url};
        proxy_cache shared;
        proxy_ignore_headers Set-Cookie Vary;
        add_header X-Cache $upstream_cache_status always;
      }`,
      'proxy_cache_path cache keys_zone=shared:1m;',
    )
    const pages = [
      ['/for-an-hour/logo.svg', 'HIT'],
      [`/as/${encodeURIComponent('max-age alone')}`, 'HIT'],
      [`/as/${encodeURIComponent('s-maxage')}`, 'HIT'],
      [`/as/${encodeURIComponent('X-Accel-Expires')}`, 'HIT'],
      [`/as/${encodeURIComponent('public')}?write=1`, 'MISS'],
      [`/as/${encodeURIComponent('X-Accel-Expires')}?write=1`, 'MISS'],
      [`/as/${encodeURIComponent('nothing said')}`, 'MISS'],
    ] as const
    for (const [page, second] of pages) {
      const first = page.endsWith('write=1') ? world.browser() : await dueBrowser()
      await first.visit(`${nginx.origin}${page}`)
      const visitor = world.browser()
      const answer = await visitor.visit(`${nginx.origin}${page}`)
      expect([page, answer.headers.get('x-cache')]).toEqual([page, second])
      expect(visitor.jar.size).toBe(page.endsWith('write=1') ? 1 : 0)
      expect(visitor.jar).not.toEqual(first.jar)
      expect((await visitor.visit(`${world.url}/`)).text).toBe('home signed-out')
    }
  })
})
