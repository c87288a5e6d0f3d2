import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import type { PpoppoFetch } from '../../src/index.js'
import { systemRuntime } from '../../src/lib/runtime.js'
import { type ForwardProxy, fetchThrough, startForwardProxy } from '../support/forward-proxy.js'
import { startWorld, type World } from '../support/world.js'

let world: World
afterEach(() => world.close())

/** Nothing of the library's own may go out by another way. */
const runtime = {
  ...systemRuntime,
  fetch: () => Promise.reject(new Error('the runtime’s own fetch was called')),
}

describe('X14 HTTP through a proxy', () => {
  let proxy: ForwardProxy
  beforeEach(async () => {
    proxy = await startForwardProxy()
  })
  afterEach(() => proxy.close())

  test('every request of sign-in, userinfo, refresh, revocation goes through it, and none past it', async () => {
    const sandbox = { announceRevocation: true }
    world = await startWorld({ sandbox, runtime, options: { fetch: fetchThrough(proxy) } })
    const browser = await world.signedIn()
    world.sandbox.control.expireAccessTokens()
    expect((await browser.visit(`${world.url}/userinfo`)).status).toBe(200)
    expect((await browser.visit(`${world.url}/auth/logout`, { method: 'POST' })).status).toBe(303)
    const paths = proxy.seen.map((line) => line.replace(world.sandbox.issuer, ''))
    expect(new Set(paths)).toEqual(
      new Set([
        'GET /.well-known/openid-configuration',
        'GET /.well-known/jwks.json',
        'POST /oauth/token',
        'GET /oauth/userinfo',
        'POST /oauth/revoke',
      ]),
    )
    const { discovery, jwks, token, userinfo, revocation } = world.sandbox.control.counters
    expect(proxy.seen).toHaveLength(discovery + jwks + token + userinfo + revocation)
  })

  test('the token of the Messaging API goes through it, too', async () => {
    const messaging = { clientId: 'sandbox_external_client', clientSecret: 'sandbox_external_secret' }
    world = await startWorld({ sandbox: { pcsPort: 0 } })
    const { url: apiUrl = '', tokenUrl = '' } = world.sandbox.pcs ?? {}
    const other = await startWorld({
      sandbox: world.sandbox,
      options: { fetch: fetchThrough(proxy), messaging: { ...messaging, apiUrl, tokenUrl } },
    })
    try {
      expect((await other.auth.messaging.app.stats()).isActive).toBe(true)
      expect(proxy.seen).toEqual([`POST ${tokenUrl}`])
    } finally {
      await other.close()
    }
  })

  test('without the option nothing does', async () => {
    world = await startWorld()
    await world.signedIn()
    expect(proxy.seen).toEqual([])
  })
})

describe('X14 a fetch of the app’s own that misbehaves', () => {
  const answering = (body: unknown, more: object = {}): PpoppoFetch =>
    (async () => ({ status: 200, headers: { get: () => null }, body, ...more })) as unknown as PpoppoFetch

  test.each<[string, PpoppoFetch, RegExp]>([
    [
      'throws',
      () => {
        throw new TypeError('rt_secret')
      },
      /connection failed/,
    ],
    ['rejects with no Error', () => Promise.reject('rt_secret'), /connection failed/],
    ['gives nothing', (async () => undefined) as unknown as PpoppoFetch, /"fetch": it gave no response/],
    ['gives a text', (() => 'rt_secret') as unknown as PpoppoFetch, /"fetch": it gave no response/],
    ['gives a body that is no stream', answering({}), /"fetch": its body is no stream/],
    [
      'gives a stream of objects',
      answering(
        (async function* () {
          yield { rt_secret: 1 }
        })(),
      ),
      /no stream of bytes/,
    ],
    ['followed a redirect', answering(null, { redirected: true }), /"fetch": it followed a redirect/],
    [
      'gives a stream without end',
      answering(
        (async function* () {
          for (;;) yield Buffer.alloc(65_536)
        })(),
      ),
      /longer than 512 KB/,
    ],
    ['ignores its signal', () => new Promise<never>(() => {}), /no answer within 5 s/],
    [
      'gives a stream that stops',
      answering(
        (async function* () {
          yield Buffer.from('{')
          await new Promise(() => {})
        })(),
      ),
      /no answer within 5 s/,
    ],
  ])('%s: login says 503, within its time', async (_name, fetch, why) => {
    world = await startWorld({ options: { fetch } })
    const answer = await world.browser().visit(`${world.url}/auth/login`)
    expect(answer.status).toBe(503)
    const detail = expect.stringMatching(why)
    expect(world.events).toContainEqual(expect.objectContaining({ type: 'provider_fault', detail }))
    expect(JSON.stringify(world.events) + answer.text).not.toContain('rt_secret')
  })

  test('that answers with texts instead of bytes is as good', async () => {
    const fetch: PpoppoFetch = async (url, request) => {
      const { status, headers, body } = await globalThis.fetch(url, request)
      const text = body === null ? '' : await new Response(body).text()
      return {
        status,
        headers,
        body: (async function* () {
          yield text
        })(),
      }
    }
    world = await startWorld({ runtime, options: { fetch } })
    await world.signedIn()
  })
})
