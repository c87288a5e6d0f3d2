import type { ServerResponse } from 'node:http'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { TOKEN_DEADLINE_MS } from '../../../src/messaging/channel/token-request.js'
import { CLIENT, sendJson } from '../support/fake-token-endpoint.js'
import { type MessagingWorld, REQUEST, startWorld } from '../support/world.js'

let world: MessagingWorld
beforeEach(async () => {
  world = await startWorld()
})
afterEach(() => world.close())

describe('the access token', () => {
  test('is asked for with id and secret in a form, and without a scope', async () => {
    await world.connect().send(REQUEST)
    expect(Object.fromEntries(new URLSearchParams(world.pas.requests[0]))).toEqual({
      grant_type: 'client_credentials',
      client_id: CLIENT.clientId,
      client_secret: CLIENT.clientSecret,
    })
    expect(world.pcs.calls[0]?.token).toBe('tok_1')
  })

  test('is asked for with a secret that holds a space, to the letter', async () => {
    await world.connect({ clientSecret: 'two  words & more+' }).send(REQUEST)
    expect(new URLSearchParams(world.pas.requests[0]).get('client_secret')).toBe('two  words & more+')
  })

  test('of 200 calls at its expiry is fetched once', async () => {
    let now = Date.now()
    const client = world.connect({}, { now: () => now, monotonic: () => now })
    await client.status('snd_1')
    now += 3_600_000
    await Promise.all(Array.from({ length: 200 }, () => client.status('snd_1')))
    expect(world.pas.requests).toHaveLength(2)
    expect(new Set(world.pcs.calls.slice(1).map(({ token }) => token))).toEqual(new Set(['tok_2']))
  })

  test('is replaced 60 s before it expires, and not earlier', async () => {
    let now = Date.now()
    const client = world.connect({}, { now: () => now, monotonic: () => now })
    await client.status('snd_1')
    now += 3_539_000
    await client.status('snd_1')
    expect(world.pas.requests).toHaveLength(1)
    now += 2_000
    await client.status('snd_1')
    expect(world.pas.requests).toHaveLength(2)
  })

  test('that lives for less than the margin still serves for half of its life', async () => {
    world.pas.expiresInSeconds = 30
    const client = world.connect()
    await client.status('snd_1')
    await client.status('snd_1')
    expect(world.pas.requests).toHaveLength(1)
  })

  test('that is still good is used while PAS is away', async () => {
    let now = Date.now()
    const client = world.connect({}, { now: () => now, monotonic: () => now })
    await client.status('snd_1')
    now += 3_590_000
    world.pas.answer = (response) => sendJson(response, 503, {})
    await client.status('snd_1')
    expect(world.pcs.calls[1]?.token).toBe('tok_1')
    now += 11_000
    await expect(client.status('snd_1')).rejects.toMatchObject({ code: 'messaging_unavailable', retryable: true })
  })

  test.each<[string, (response: ServerResponse) => void]>([
    ['a 404 page', (response) => response.writeHead(404, { 'content-type': 'text/html' }).end('<h1>Not Found</h1>')],
    ['a 403 page', (response) => response.writeHead(403, { 'content-type': 'text/html' }).end('<h1>Forbidden</h1>')],
    ['a login page', (response) => response.writeHead(302, { location: 'https://example.com/' }).end()],
    ['a page with 200', (response) => response.writeHead(200, { 'content-type': 'text/html' }).end('<h1>Hello</h1>')],
    ['JSON of a framework', (response) => sendJson(response, 404, { status: 404, error: 'Not Found' })],
    ['"temporarily_unavailable"', (response) => sendJson(response, 400, { error: 'temporarily_unavailable' })],
    ['a refusal', (response) => sendJson(response, 401, { error: 'invalid_client' })],
  ])('that is still good is used whatever the token endpoint answers: %s', async (_what, answer) => {
    let now = Date.now()
    const client = world.connect({ deadlineMs: 2_000 }, { now: () => now, monotonic: () => now })
    await client.status('snd_1')
    now += 3_590_000
    world.pas.answer = answer
    await client.status('snd_1')
    await client.status('snd_1')
    expect(world.pcs.calls.map(({ token }) => token)).toEqual(['tok_1', 'tok_1', 'tok_1'])
    world.pas.answer = undefined
    now += 6_000
    await client.status('snd_1')
    expect(world.pcs.calls.at(-1)?.token).toBe(`tok_${world.pas.requests.length}`)
  })

  test('is asked for again where a gateway answers with a page, and that is no verdict once PAS has answered', async () => {
    let now = Date.now()
    const client = world.connect({ deadlineMs: 1_000 }, { now: () => now, monotonic: () => now })
    await client.status('snd_1')
    now += 3_700_000
    world.pas.answer = (response) => response.writeHead(404, { 'content-type': 'text/html' }).end('<h1>404</h1>')
    await expect(client.status('snd_1')).rejects.toMatchObject({
      code: 'messaging_unavailable',
      retryable: true,
      message: expect.stringContaining('HTTP 404'),
    })
    expect(world.pas.requests.length).toBeGreaterThan(2)
  })

  test('that PCS refuses is replaced once, for a send too', async () => {
    world.pcs.answer = ({ token }) => (token === 'tok_1' ? { code: 16 } : { ok: { id: 'snd_1' } })
    expect(await world.connect().send(REQUEST)).toMatchObject({ id: 'snd_1' })
    expect(world.pas.requests).toHaveLength(2)
    world.pcs.answer = () => ({ code: 16, details: 'expired' })
    await expect(world.connect().send(REQUEST)).rejects.toMatchObject({
      code: 'credentials_rejected',
      grpcCode: 16,
      message: expect.stringContaining('PAS_TOKEN_URL'),
    })
    expect(world.pcs.calls).toHaveLength(4)
  })

  test('of 50 calls that PCS refuses at the same time is replaced once', async () => {
    const client = world.connect()
    await client.status('snd_1')
    world.pcs.answer = ({ token }) => (token === 'tok_1' ? { code: 16 } : { ok: {} })
    await Promise.all(Array.from({ length: 10 }, () => client.status('snd_1')))
    expect(world.pas.requests).toHaveLength(2)
  })
})

describe('a token endpoint that gives no token', () => {
  test.each([
    ['a wrong secret', 401, { error: 'invalid_client' }, 'credentials_rejected', /PAS_PCS_CLIENT_SECRET/],
    ['a wrong secret, told otherwise', 400, { error: 'invalid_client' }, 'credentials_rejected', /invalid_client/],
    ['a wrong path', 404, {}, 'messaging_misconfigured', /PAS_TOKEN_URL/],
    ['a redirect', 302, {}, 'messaging_misconfigured', /HTTP 302/],
    ['a failure', 500, {}, 'messaging_unavailable', /HTTP 500/],
    ['too many requests', 429, {}, 'messaging_unavailable', /HTTP 429/],
    ['no token', 200, { token_type: 'Bearer' }, 'messaging_response_invalid', /PAS_TOKEN_URL/],
    ['another kind of token', 200, { access_token: 'a', token_type: 'mac' }, 'messaging_response_invalid', /bearer/],
    ['a token that is no header', 200, { access_token: 'a\nb' }, 'messaging_response_invalid', /bearer/],
  ])('%s', async (_what, status, body, code, message) => {
    world.pas.answer = (response) => sendJson(response, status, body, { 'retry-after': '7' })
    const error = await world
      .connect({ deadlineMs: 2_000 })
      .send(REQUEST)
      .catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({ code, message: expect.stringMatching(message) })
    expect(String(error)).not.toContain('\n')
    if (status === 429) expect(error).toMatchObject({ retryAfterMs: 7_000 })
    expect(world.pcs.calls).toHaveLength(0)
  })

  test('an answer without end is cut off', async () => {
    world.pas.answer = (response) => {
      response.writeHead(200)
      response.write('x'.repeat(100_000))
    }
    await expect(world.connect({ deadlineMs: 1_000 }).send(REQUEST)).rejects.toMatchObject({
      code: 'messaging_unavailable',
    })
  })

  test('a token endpoint that fails twice and then is well fails no call', async () => {
    world.pas.answer = (response, count) =>
      count <= 2 ? sendJson(response, 500, {}) : sendJson(response, 200, { access_token: 'late', token_type: 'Bearer' })
    const client = world.connect({ maxAttempts: 1 })
    await Promise.all([client.send(REQUEST), client.status('snd_1'), client.status('snd_1')])
    // All calls of a client wait together.
    expect(world.pas.requests).toHaveLength(3)
    expect(world.pcs.calls.map(({ token }) => token)).toEqual(['late', 'late', 'late'])
  })

  test('a request that hangs holds up no call: another one is made beside it', async () => {
    world.pas.answer = (response, count) => {
      if (count > 1) sendJson(response, 200, { access_token: 'second', token_type: 'Bearer' })
    }
    const client = world.connect({ deadlineMs: 60_000 })
    await Promise.all([client.status('snd_1'), client.send(REQUEST)])
    expect(world.pcs.calls.map(({ token }) => token)).toEqual(['second', 'second'])
    expect(world.pas.requests).toHaveLength(2)
  })

  test('silence ends with the deadline of the call, and with its own', async () => {
    world.pas.answer = () => {}
    await expect(world.connect().send(REQUEST, { deadlineMs: 50 })).rejects.toMatchObject({ code: 'deadline_exceeded' })
    const after = (ms: number, done: () => void): (() => void) => {
      const timer = setTimeout(done, ms === TOKEN_DEADLINE_MS ? 20 : ms)
      return () => clearTimeout(timer)
    }
    await expect(world.connect({}, { after }).send(REQUEST)).rejects.toMatchObject({
      code: 'messaging_unavailable',
      message: expect.stringContaining('no answer within 10 s'),
    })
  })

  test('nobody there', async () => {
    await world.pas.close()
    await expect(world.connect({ deadlineMs: 1_000 }).send(REQUEST)).rejects.toMatchObject({
      code: 'messaging_unavailable',
      message: expect.stringContaining('ECONNREFUSED'),
    })
  })
})
