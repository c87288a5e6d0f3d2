import { createRequire } from 'node:module'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import express, { type Express, type Request, type Response } from 'express'
import type { CookieBrowser } from '../support/cookie-browser.js'
import { startWorld, type World, type WorldOptions } from '../support/world.js'

const express4: typeof express = createRequire(import.meta.url)('express4')

/** What an app may do to its session that JSON, or express-session, cannot bear. */
const SPOIL: Readonly<Record<string, (req: Request) => void>> = {
  'a circle': (req) => void Object.assign(req.session, { self: req.session }),
  'a BigInt': (req) => void Object.assign(req.session, { count: 1n }),
  'a toJSON that throws': (req) =>
    void Object.assign(req.session, {
      at: {
        toJSON: () => {
          throw new Error('no')
        },
      },
    }),
  'an empty object in its place': (req) => void Object.assign(req, { session: {} }),
  'an object in its place': (req) => void Object.assign(req, { session: { user: 'alex' } }),
  'a list in its place': (req) => void Object.assign(req, { session: [] }),
  'a text in its place': (req) => void Object.assign(req, { session: 'alex' }),
  'true in its place': (req) => void Object.assign(req, { session: true }),
  'a session without its cookie': (req) => void Reflect.deleteProperty(req.session, 'cookie'),
  'an object in place of its cookie': (req) => void Object.assign(req.session, { cookie: { maxAge: 60_000 } }),
  'a text in place of its cookie': (req) => void Object.assign(req.session, { cookie: 'sid' }),
  'a text as the expiry of its cookie': (req) => void Object.assign(req.session.cookie, { expires: 'tomorrow' }),
  'a text as the age of its cookie': (req) => void Object.assign(req.session.cookie, { originalMaxAge: '60000' }),
}

/** Ways to answer, none of which has sent anything before the session is looked at. */
const ANSWER: Readonly<Record<string, (res: Response) => unknown>> = {
  send: (res) => res.send('page'),
  json: (res) => res.json({ page: true }),
  redirect: (res) => res.redirect('/elsewhere'),
  end: (res) => res.end('page'),
  'sendStatus 404': (res) => res.sendStatus(404),
  'a stream that ends at once': (res) => res.type('text/csv').attachment('a.csv').end(),
  later: (res) => setImmediate(() => res.send('page')),
}

function routes(app: Express): void {
  for (const [spoiling, spoil] of Object.entries(SPOIL)) {
    for (const [answering, answer] of Object.entries(ANSWER)) {
      app.get(`/${encodeURIComponent(spoiling)}/${encodeURIComponent(answering)}`, (req, res) => {
        spoil(req)
        answer(res)
      })
    }
    app.get(`/${encodeURIComponent(spoiling)}/streamed`, (req, res) => {
      res.write('one ')
      spoil(req)
      res.write('two ')
      res.end('three')
    })
    app.get(`/${encodeURIComponent(spoiling)}/headers-first`, (req, res) => {
      spoil(req)
      res.writeHead(200, { 'Content-Type': 'text/plain' })
      res.end('one two three')
    })
    app.get(`/${encodeURIComponent(spoiling)}/fails`, (req, res) => {
      spoil(req)
      res.status(503).send('the app’s own error page')
    })
  }
  app.get('/save', (req, res) => {
    SPOIL['a circle']?.(req)
    req.session.save((error: unknown) => {
      Reflect.deleteProperty(req.session, 'self')
      res.json({ code: Reflect.get(Object(error), 'code') })
    })
  })
  app.get('/ended/:how', (req, res) => {
    const { session } = req
    const tell = (error?: unknown): void => void res.send(error instanceof Error ? error.message : 'well')
    const again = { save: 0, reload: 0, destroy: 0, regenerate: 0 }
    if (req.params.how === 'reload meanwhile') {
      session.destroy(() => {})
      session.reload(tell)
    } else {
      session.destroy(() => session[req.params.how as keyof typeof again](tell))
    }
  })
  app.get('/to-json', (req, res) => {
    Object.assign(req.session, { toJSON: () => 'a text' })
    res.send('page')
  })
  app.get('/no-body', (_req, res) => {
    res.end(5)
  })
  app.get('/none/:how', (req, res) => {
    if (req.params.how === 'delete') Reflect.deleteProperty(req, 'session')
    else Object.assign(req, { session: req.params.how === 'null' ? null : undefined })
    res.send('page')
  })
  app.get('/end/:how', (req, res) => {
    if (req.query['write']) Object.assign(req.session, { at: Date.now() })
    const log = (error?: unknown): void => void called.push(error === undefined ? 'finished' : String(error))
    const { how } = req.params
    if (how === 'callback') res.end(log)
    if (how === 'chunk') res.end('page', log)
    if (how === 'encoding') res.end('7061676500', 'hex', log)
    if (how === 'twice') {
      res.end('page', log)
      res.end(log)
    }
    if (how === 'chained') res.end('page').once('finish', () => log())
    if (how === 'written') {
      res.write('pa')
      res.end('ge', 'utf8', log)
    }
    if (how === 'afterwards') {
      res.end('page')
      res.once('close', () => res.end(log))
    }
  })
}

/** What the callbacks of `res.end` said. */
const called: string[] = []

async function untilCalled(times: number): Promise<void> {
  for (const deadline = Date.now() + 5_000; called.length < times && Date.now() < deadline; )
    await new Promise((resolve) => setImmediate(resolve))
}

describe.each([
  ['Express 5', express],
  ['Express 4', express4],
])('a session that cannot be saved (%s)', (_name, createApp) => {
  let world: World
  let browser: CookieBrowser
  beforeAll(async () => {
    // Before the error handler.
    const mount: WorldOptions['mount'] = (app, auth) => {
      app.use(auth)
      routes(app)
    }
    world = await startWorld({ mount, createApp })
    browser = await world.signedIn()
    await browser.visit(`${world.url}/basket?add=apple`)
  })
  afterAll(() => world.close())

  const visit = (visitor: CookieBrowser, ...path: string[]) =>
    visitor.visit(`${world.url}/${path.map(encodeURIComponent).join('/')}`, { signal: AbortSignal.timeout(5_000) })
  const basket = async (): Promise<unknown> => JSON.parse((await browser.visit(`${world.url}/basket`)).text).basket

  test.each(Object.keys(SPOIL))(
    '%s is a 500 through the app’s error handler, not a request that hangs',
    async (spoiling) => {
      for (const visitor of [browser, world.browser()]) {
        for (const answering of Object.keys(ANSWER)) {
          const answer = await visit(visitor, spoiling, answering)
          expect([answering, answer.status, JSON.parse(answer.text).code]).toEqual([answering, 500, 'session_invalid'])
          const { headers } = answer
          expect(headers.get('content-type')).toMatch(/^application\/json/)
          expect([headers.get('location'), headers.get('content-disposition')]).toEqual([null, null])
        }
      }
      expect(await basket()).toEqual(['apple'])
    },
  )

  test.each(Object.keys(SPOIL))(
    '%s, when the answer is on its way: the answer is whole, and a warning says so',
    async (spoiling) => {
      for (const visitor of [browser, world.browser()]) {
        for (const how of ['streamed', 'headers-first']) {
          world.events.length = 0
          const answer = await visit(visitor, spoiling, how)
          expect([how, answer.status, answer.text, answer.cookies]).toEqual([how, 200, 'one two three', []])
          expect(world.events).toEqual([expect.objectContaining({ type: 'warning', code: 'session_not_saved' })])
        }
        const failed = await visit(visitor, spoiling, 'fails')
        expect([failed.status, failed.text]).toEqual([503, 'the app’s own error page'])
      }
      expect(await basket()).toEqual(['apple'])
    },
  )

  test.each(['save', 'reload', 'destroy', 'regenerate', 'reload meanwhile'])(
    'X7 %s() of a session that has ended calls back, and ends no process',
    async (how) => {
      for (const visitor of [await world.signedIn(), world.browser()]) {
        const answer = await visit(visitor, 'ended', how)
        expect([answer.status, answer.text]).toEqual([
          200,
          how.startsWith('reload') ? 'failed to load session' : 'well',
        ])
        expect((await visitor.visit(`${world.url}/`)).text).toBe('home signed-out')
      }
    },
  )

  test('X7 a toJSON() that returns no object leaves the session as it was, with a warning', async () => {
    const warnings = world.events.length
    expect((await visit(browser, 'to-json')).text).toBe('page')
    expect(await basket()).toEqual(['apple'])
    expect(world.events.slice(warnings)).toMatchObject([{ type: 'warning', code: 'session_not_saved' }])
  })

  test('X7 a response that Node refuses becomes a 500 of the app’s error handler', async () => {
    for (const visitor of [browser, world.browser()])
      expect(JSON.parse((await visit(visitor, 'no-body')).text).code).toBe('ERR_INVALID_ARG_TYPE')
  })

  test('save() of a session that cannot be saved passes the error to its callback', async () => {
    expect(JSON.parse((await visit(browser, 'save')).text)).toEqual({ code: 'session_invalid' })
  })

  test.each(['delete', 'null', 'undefined'])('a session taken off the request (%s) stays as it was', async (how) => {
    expect((await visit(browser, 'none', how)).text).toBe('page')
    expect(await basket()).toEqual(['apple'])
  })

  test.each([
    ['callback', ['finished']],
    ['chunk', ['finished']],
    ['encoding', ['finished']],
    ['written', ['finished']],
    ['chained', ['finished']],
    // As plain Node: the second is too late where all has left by then.
    ['twice', [expect.stringMatching(/^finished$|Cannot call end after/), 'finished']],
    ['afterwards', [expect.stringContaining('Cannot call end after')]],
  ])('res.end calls back as Node does: %s', async (how, wanted) => {
    for (const query of ['', '?write=1']) {
      called.length = 0
      const answer = await browser.visit(`${world.url}/end/${how}${query}`, { signal: AbortSignal.timeout(5_000) })
      await untilCalled(wanted.length)
      expect([how, query, called]).toEqual([how, query, wanted])
      if (how !== 'callback') expect(answer.text.slice(0, 4)).toBe('page')
    }
  })
})
