import { once } from 'node:events'
import { get, IncomingMessage } from 'node:http'
import { type AddressInfo, Socket } from 'node:net'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import express, { type NextFunction, type Request, type Response } from 'express'
import request from 'supertest'
import { type ErrorHandlerOptions, PpoppoError, ppoppo } from '../../src/index.js'
import { until } from '../support/until.js'

const HTML = { Accept: 'text/html,*/*;q=0.8', 'Sec-Fetch-Mode': 'navigate' }
const JSON_ONLY = { Accept: 'application/json' }
const auth = ppoppo({ clientId: 'x', baseUrl: 'http://localhost:3000', trustedOrigins: ['http://spa.localhost:3000'] })
afterAll(() => auth.close())

describe('errorHandler', () => {
  const missed: unknown[] = []
  let error: unknown
  let work: (req: Request, res: Response, next: NextFunction) => void
  beforeAll(() => {
    work = (_req, _res, next) => next(error)
  })

  function appWith(options?: ErrorHandlerOptions) {
    const app = express()
    app.use(express.json({ limit: 10 }))
    app.use((req, res, next) => work(req, res, next))
    app.use(auth.errorHandler(options))
    app.use((unknown: unknown, _req: Request, res: Response, next: NextFunction) => {
      missed.push(unknown)
      if (res.headersSent) return next(unknown)
      res.status(599).send('not ours')
    })
    return app
  }

  test.each([
    ['store_unavailable', undefined, 503, '5', 'We cannot see who is signed in right now'],
    ['messaging_unavailable', 1_200, 503, '2', 'This is not available right now'],
    ['rate_limited', 30_000, 429, '30', 'This is not available right now'],
    ['provider_response_invalid', undefined, 502, undefined, 'This is not available right now'],
    ['not_found', undefined, 404, undefined, 'That did not work'],
    ['permission_denied', undefined, 403, undefined, 'You do not have access to this page'],
  ] as const)('%s (retry after %s ms) is answered with %i, for programs and for people', async (...row) => {
    const [code, retryAfterMs, status, retryAfter, title] = row
    error = new PpoppoError(code, 'internal 10.0.0.1', { ...(retryAfterMs && { retryAfterMs }) })
    const problem = await request(appWith()).get('/').set(JSON_ONLY)
    expect([problem.status, problem.type]).toEqual([status, 'application/problem+json'])
    expect([problem.get('retry-after'), problem.get('cache-control')]).toEqual([retryAfter, 'private, no-store'])
    expect(problem.body).toMatchObject({ code, status, type: expect.stringContaining(code) })
    // What a server says about itself is for its operator.
    expect(problem.text.includes('10.0.0.1')).toBe(status < 500)
    const page = await request(appWith()).get('/').set(HTML)
    expect([page.status, page.type, page.get('retry-after') ?? retryAfter]).toEqual([
      status,
      'text/html',
      page.get('retry-after'),
    ])
    expect(page.text).toContain(`<h1>${title}</h1>`)
    expect(page.text).not.toContain('10.0.0.1')
  })

  test('signed_out is 401 with a way to sign in', async () => {
    error = new PpoppoError('signed_out', 'Nobody is signed in.')
    const problem = await request(appWith()).get('/').set(JSON_ONLY)
    expect(problem.get('www-authenticate')).toMatch(/^Ppoppo realm=/)
    expect(problem.body.loginUrl).toBe('http://localhost:3000/auth/login')
    const page = await request(appWith()).get('/a?b=1').set(HTML)
    expect([page.status, page.get('www-authenticate')]).toEqual([401, problem.get('www-authenticate')])
    expect(page.text).toContain('return_to=http%3A%2F%2Flocalhost%3A3000%2Fa%3Fb%3D1')
  })

  test('bad requests of Express and its parsers are answered; of others only their status is taken', async () => {
    const tooLong = await request(appWith()).post('/').set(JSON_ONLY).send({ a: 'more than ten bytes' })
    expect([tooLong.status, tooLong.body.type, tooLong.body.detail]).toEqual([
      413,
      'about:blank',
      'request entity too large',
    ])
    error = Object.assign(new Error('secret'), { status: 405, headers: { Allow: 'GET' } })
    const refused = await request(appWith()).get('/').set(JSON_ONLY)
    expect([refused.status, refused.get('allow'), refused.text.includes('secret')]).toEqual([405, 'GET', false])
    expect((await request(appWith()).get('/').set(HTML)).text).toContain('That did not work')
  })

  test('of the headers on an error of another client only those about errors are sent', async () => {
    const headers = { 'Set-Cookie': 'theirs=1', 'Content-Encoding': 'gzip', 'X-Request-Id': '1', 'Retry-After': '7' }
    error = Object.assign(new Error('secret'), { status: 429, headers })
    const answer = await request(appWith()).get('/').set(JSON_ONLY)
    expect([answer.status, answer.get('retry-after'), answer.get('x-request-id')]).toEqual([429, '7', undefined])
    expect([answer.get('set-cookie'), answer.get('content-encoding')]).toEqual([undefined, undefined])
    // What is to be shown has the headers that the app gave it.
    error = Object.assign(new Error('shown'), { status: 403, expose: true, headers: { 'X-Request-Id': '1' } })
    expect((await request(appWith()).get('/').set(JSON_ONLY)).get('x-request-id')).toBe('1')
    error = Object.assign(new Error('secret'), { status: 500, headers })
    const reported = await request(appWith({ report: () => {} }))
      .get('/')
      .set(JSON_ONLY)
    expect([reported.status, reported.get('retry-after'), reported.get('set-cookie')]).toEqual([
      500,
      undefined,
      undefined,
    ])
  })

  test('what an async `page` rejects with goes to next(error)', async () => {
    error = new PpoppoError('not_found', 'x')
    for (const thrown of [new Error('no view'), undefined]) {
      const page = async (): Promise<void> => Promise.reject(thrown)
      expect((await request(appWith({ page })).get('/').set(HTML)).status).toBe(599)
      expect(missed.pop()).toBe(thrown ?? error)
    }
  })

  test('unknown errors and mistakes in the app go to next(error)', async () => {
    for (const other of [new Error('bug'), new PpoppoError('config_invalid', 'x'), 'text', { status: 600 }]) {
      error = other
      const answer = await request(appWith()).get('/').set(HTML)
      expect([answer.status, missed.pop()]).toEqual([599, other])
    }
  })

  test('with `report` they are answered, too, and what is reported has the reference that the person sees', async () => {
    error = new Error('secret')
    const reports: { error: unknown; correlationId: string }[] = []
    const report = (reported: unknown, { correlationId }: { correlationId: string }) => {
      reports.push({ error: reported, correlationId })
      throw new Error('the log is full')
    }
    const page = await request(appWith({ report })).get('/').set(HTML)
    expect([page.status, page.text.includes('secret')]).toEqual([500, false])
    expect(reports).toEqual([{ error, correlationId: expect.stringMatching(/^[0-9a-f]{16}$/) }])
    expect(page.text).toContain(reports[0]?.correlationId)
    const problem = await request(appWith({ report })).get('/').set(JSON_ONLY)
    expect(problem.body).toEqual({ type: 'about:blank', status: 500, title: 'Internal Server Error' })
    // What a client did wrong is not reported.
    error = new PpoppoError('not_found', 'x')
    await request(appWith({ report })).get('/')
    expect(reports).toHaveLength(2)
  })

  test('`page` shows people the error in the layout of the app, with status and headers set', async () => {
    error = new PpoppoError('rate_limited', 'x', { retryAfterMs: 3_000 })
    const page: ErrorHandlerOptions['page'] = (_req, res, answer) => {
      res.send(`${answer.status} ${answer.code} ${answer.retryAfterSeconds} ${answer.error === error}`)
    }
    const shown = await request(appWith({ page })).get('/').set(HTML)
    expect([shown.status, shown.get('retry-after'), shown.text]).toEqual([429, '3', '429 rate_limited 3 true'])
    expect((await request(appWith({ page })).get('/').set(JSON_ONLY)).type).toBe('application/problem+json')
  })

  test('a response that has been sent in part is left to Express, which closes the connection', async () => {
    error = new PpoppoError('not_found', 'x')
    const rest = work
    work = (_req, res, next) => {
      res.write('half')
      next(error)
    }
    await expect(request(appWith()).get('/')).rejects.toThrow()
    expect(missed.pop()).toBe(error)
    work = rest
  })

  test('a client that has gone is not answered, and is no error of the app', async () => {
    let done: boolean | undefined
    const rest = work
    work = (_req, res, next) => {
      res.once('close', () => {
        next(new PpoppoError('deadline_exceeded', 'x'))
        done = res.headersSent
      })
    }
    const server = appWith().listen(0, '127.0.0.1')
    await once(server, 'listening')
    const client = get({ port: (server.address() as AddressInfo).port, host: '127.0.0.1' }).on('error', () => {})
    await once(server, 'request')
    client.destroy()
    await until(() => done !== undefined)
    await new Promise((resolve) => server.close(resolve))
    expect([done, missed]).toEqual([false, []])
    work = rest
  })

  test.each([[{ log: 1 }], [{ page: 'x' }], [{ report: {} }]])('%j is rejected at once', (options) => {
    expect(() => auth.errorHandler(options as object)).toThrow(/errorHandler: "(log|page|report)"/)
  })
})

describe('requireSameOrigin', () => {
  const app = express()
  app.use(auth.requireSameOrigin())
  app.all('/', (_req, res) => void res.send('done'))
  const OWN = { Origin: 'http://localhost:3000' }
  const FOREIGN = { Origin: 'http://blog.localhost:3000' }

  test.each([
    ['get', {}, 200],
    ['get', { ...FOREIGN, 'Sec-Fetch-Site': 'cross-site' }, 200],
    ['post', {}, 200],
    ['post', OWN, 200],
    ['post', { 'Sec-Fetch-Site': 'same-origin' }, 200],
    ['post', { 'Sec-Fetch-Site': 'none' }, 200],
    ['post', { Origin: 'http://spa.localhost:3000', 'Sec-Fetch-Site': 'same-site' }, 200],
    ['post', { 'Sec-Fetch-Site': 'same-site', ...FOREIGN }, 403],
    ['delete', FOREIGN, 403],
    ['post', { Origin: 'null' }, 403],
    ['put', { Referer: 'http://evil.example/' }, 403],
    ['patch', { ...OWN, 'Sec-Fetch-Site': 'cross-site' }, 403],
  ] as const)('%s with %j: %i', async (method, headers, status) => {
    expect((await request(app)[method]('/').set(headers)).status).toBe(status)
  })

  test('people get a page, programs a problem', async () => {
    const page = await request(app)
      .post('/')
      .set({ ...FOREIGN, ...HTML })
    expect(page.text).toContain('Cross-site request refused')
    const problem = await request(app)
      .post('/')
      .set({ ...FOREIGN, ...JSON_ONLY })
    expect(problem.body).toMatchObject({ code: 'cross_site', status: 403 })
  })

  test('without parentheses it is a clear error instead of an app that is not protected', async () => {
    const req = new IncomingMessage(new Socket())
    expect(() => Reflect.apply(auth.errorHandler, undefined, [req])).toThrow(
      'write auth.errorHandler(), with parentheses',
    )
    expect(() => Reflect.apply(ppoppo, undefined, [req])).toThrow('write app.use(ppoppo()), with parentheses')
    expect(() => Reflect.apply(auth.requireSameOrigin, undefined, [{}])).toThrow('write auth.requireSameOrigin()')
  })
})
