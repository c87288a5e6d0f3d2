import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { afterEach, beforeEach, expect, test } from '@jest/globals'
import { fetchOverHttp } from '../../src/lib/fetch-over-http.js'
import { ask, type FetchRequest } from '../../src/lib/http.js'
import { systemRuntime } from '../../src/lib/runtime.js'

type Handler = (req: IncomingMessage, res: ServerResponse) => void

let server: Server
let url: string
let answer: Handler
let connections: Socket[]
const requests: string[] = []

beforeEach(async () => {
  requests.length = 0
  connections = []
  answer = (_req, res) => res.end('{"a":1}')
  server = createServer(async (req, res) => {
    let body = ''
    for await (const part of req.setEncoding('utf8')) body += part
    requests.push(`${req.method} ${req.url} ${req.headers['content-length'] ?? '-'} ${body}`)
    answer(req, res)
  })
  server.on('connection', (socket) => connections.push(socket))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
})

afterEach(async () => {
  server.closeAllConnections()
  server.close()
  await once(server, 'close')
})

const requestOf = (more: Partial<FetchRequest> = {}): FetchRequest => ({
  method: 'GET',
  headers: { accept: 'application/json' },
  redirect: 'manual',
  signal: new AbortController().signal,
  ...more,
})
const text = async (path: string, more?: Partial<FetchRequest>) =>
  (await ask(fetchOverHttp, url + path, requestOf(more), 1_000)).body

test('sends method, headers and form, and keeps the connection open for the next request', async () => {
  answer = ({ headers }, res) => res.setHeader('X-Answer', 'yes').end(JSON.stringify(headers))
  const first = await ask(fetchOverHttp, `${url}/one?q=1`, requestOf({ headers: { authorization: 'Bearer x' } }), 1_000)
  expect(JSON.parse(first.body)).toMatchObject({ authorization: 'Bearer x', 'accept-encoding': 'identity' })
  expect([first.status, first.headers.get('x-answer'), first.headers.get('x-none')]).toEqual([200, 'yes', null])
  await text('/two', { method: 'POST', body: 'a=1&b=é' })
  expect(requests).toEqual(['GET /one?q=1 - ', 'POST /two 8 a=1&b=é'])
  expect(connections).toHaveLength(1)
})

test('follows no redirect', async () => {
  answer = (_req, res) => res.writeHead(302, { location: `${url}/elsewhere` }).end()
  expect((await ask(fetchOverHttp, url, requestOf(), 1_000)).status).toBe(302)
  expect(requests).toHaveLength(1)
})

test.each(['GET', 'POST'])('a %s that the server breaks off fails, and is not sent twice', async (method) => {
  await text('/before')
  answer = ({ socket }) => socket.destroy()
  await expect(text('/', { method, ...(method === 'POST' && { body: 'a=1' }) })).rejects.toMatchObject({
    code: 'ECONNRESET',
  })
  expect(requests).toHaveLength(2)
})

test.each(['before the answer', 'within it'])('an abort %s closes the connection', async (when) => {
  answer = (_req, res) => {
    if (when === 'within it') res.write('{"a":')
  }
  const call = new AbortController()
  const asked = text('/', { signal: call.signal })
  await once(server, 'request')
  const [socket] = connections
  const closed = socket && once(socket, 'close')
  call.abort()
  await expect(asked).rejects.toThrow()
  await closed
  expect(requests).toHaveLength(1)
})

test('an answer that is too long is not read to its end', async () => {
  answer = (_req, res) => {
    const write = (): void => {
      while (!res.destroyed && res.write('x'.repeat(10_000)));
    }
    res.on('drain', write)
    write()
  }
  const closed = once(server, 'request').then(() => new Promise((resolve) => connections[0]?.once('close', resolve)))
  await expect(text('/')).rejects.toThrow()
  await closed
})

test('a global fetch that somebody has replaced is asked instead', async () => {
  const before = globalThis.fetch
  globalThis.fetch = async () => Response.json({ by: 'theirs' })
  try {
    const { body } = await ask(systemRuntime.fetch, url, requestOf(), 1_000)
    expect(body).toBe('{"by":"theirs"}')
  } finally {
    globalThis.fetch = before
  }
  expect((await ask(systemRuntime.fetch, url, requestOf(), 1_000)).body).toBe('{"a":1}')
})
