import type { ServerResponse } from 'node:http'
import { type ClientHttp2Session, connect, createServer, type Http2Server, type IncomingHttpHeaders } from 'node:http2'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import type { Request } from 'express'
import { COOKIES, startWorld, type World } from '../support/world.js'

/*
 * Express does not speak HTTP/2, Node does: `auth.session` and `auth.middleware` stand alone. express-session calls what
 * an answer over HTTP/2 does not have.
 */

/** Ways to answer, by path. */
const ANSWER: Readonly<Record<string, (res: ServerResponse) => unknown>> = {
  '/end': (res) => res.end('page'),
  '/callback': (res) => void res.end('page', () => {}),
  '/stream': (res) => {
    res.write('pa')
    res.end('ge')
  },
  '/flushed': (res) => {
    res.flushHeaders()
    res.end('page')
  },
  '/head': (res) => res.writeHead(200, { 'x-name': 'value' }).end('page'),
  '/public': (res) => {
    res.setHeader('cache-control', 'public, max-age=60')
    res.end('page')
  },
}

let world: World
let server: Http2Server
let client: ClientHttp2Session
const faults: unknown[] = []

beforeAll(async () => {
  world = await startWorld()
  server = createServer((incoming, outgoing) => {
    // As far as a session goes they are what HTTP/1 has.
    const [req, res] = [incoming as unknown as Request, outgoing as unknown as ServerResponse]
    const answer = (error?: unknown): void => {
      if (error) return void res.writeHead(500).end(String(Reflect.get(Object(error), 'code')))
      const { pathname, searchParams } = new URL(req.url, 'http://localhost')
      if (searchParams.has('write')) Object.assign(req.session, { at: Date.now() })
      if (searchParams.has('spoil')) Object.assign(req.session, { count: 1n })
      res.setHeader('x-status', req.ppoppo.status)
      try {
        const end = (): unknown => ANSWER[pathname]?.(res)
        if (searchParams.has('out')) void req.ppoppo.signOut().then(end)
        else end()
      } catch (fault) {
        faults.push(fault)
      }
    }
    world.auth.session(req, res, (error) => (error ? answer(error) : world.auth.middleware(req, res, answer)))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  client = connect(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
})

afterAll(async () => {
  client.destroy()
  await new Promise((resolve) => server.close(resolve))
  await world.close()
})

function get(path: string, cookie = ''): Promise<{ headers: IncomingHttpHeaders; text: string }> {
  return new Promise((resolve, reject) => {
    const request = client.request({ ':path': path, ...(cookie === '' ? {} : { cookie }) })
    let headers: IncomingHttpHeaders = {}
    let text = ''
    request.on('response', (given) => {
      headers = given
    })
    request.on('data', (chunk) => {
      text += chunk
    })
    request.on('error', reject)
    request.on('end', () => resolve({ headers, text }))
    request.end()
  })
}

test.each(Object.keys(ANSWER))('S1 over HTTP/2 a session begins, is found and ends: %s', async (path) => {
  const begun = await get(`${path}?write`)
  const [line = '', ...more] = begun.headers['set-cookie'] ?? []
  expect([begun.text, line.startsWith(`${COOKIES.session}=`), more]).toEqual(['page', true, []])
  expect(begun.headers['cache-control']).toBe('private, no-store')

  const browser = await world.signedIn()
  const cookie = [...browser.jar].map(([name, value]) => `${name}=${value}`).join('; ')
  const found = await get(`${path}?write`, cookie)
  expect([found.text, found.headers['x-status'], found.headers['set-cookie']]).toEqual(['page', 'signed-in', undefined])
  const out = await get(`${path}?out`, cookie)
  expect(out.headers['set-cookie']?.join()).toContain(`${COOKIES.session}=; Path=/; Expires=Thu, 01 Jan 1970`)
  expect(out.headers['cache-control']).toBe('private, no-store')
  expect((await get(path, cookie)).headers['x-status']).toBe('signed-out')
  expect(faults).toEqual([])
})

test('X7 over HTTP/2, a session that cannot be saved is an error, too', async () => {
  const { headers, text } = await get('/end?spoil')
  expect([headers[':status'], text]).toEqual([500, 'session_invalid'])
})
