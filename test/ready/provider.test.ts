import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import { type Sandbox, startSandbox } from 'ppoppo-sandbox'
import type { PpoppoOptions } from '../../src/index.js'
import { faultOf, readinessOf } from '../support/readiness.js'
import { findFreePort } from '../support/redis.js'
import { startTlsFront } from '../support/tls-front.js'

const PAGE = '<!doctype html><title>Welcome to nginx!</title>'

describe('U9 auth.ready() reports a fault of PAS with place, cause and fix', () => {
  let sandbox: Sandbox
  const closeAfter: (() => unknown)[] = []
  beforeAll(async () => {
    sandbox = await startSandbox({ pasPort: 0 })
  })
  beforeEach(() => sandbox.control.reset())
  afterEach(async () => {
    for (const close of closeAfter.splice(0)) await close()
  })
  afterAll(() => sandbox.close())

  /** Expects that ready() fails with this code, and names the address. */
  async function expectFault(code: string, says: RegExp, options: PpoppoOptions = {}): Promise<void> {
    const issuer = options.issuer ?? sandbox.issuer
    const { error, text } = await faultOf({ issuer, ...options }, says)
    expect([error?.code, text]).toEqual([code, expect.stringMatching(says)])
    expect(text).toContain(issuer)
  }
  async function serve(listener: RequestListener): Promise<string> {
    const server: Server = createServer(listener)
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    closeAfter.push(() => {
      server.closeAllConnections()
      server.close()
    })
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  }

  test('a refused connection, by address and by name; an unknown host', async () => {
    const port = await findFreePort()
    const refused =
      /cannot be reached \(ECONNREFUSED: it refuses connections\)\. Start the sandbox with "npx express-ppoppo sandbox"/
    await expectFault('provider_unavailable', refused, { issuer: `http://127.0.0.1:${port}` })
    await expectFault('provider_unavailable', refused, { issuer: `http://localhost:${port}` })
    await expectFault('provider_unavailable', /\((ENOTFOUND|EAI_AGAIN): .*\)\. Check .*DNS of this machine/, {
      issuer: 'https://no-such-host.invalid',
    })
  })

  test('https:// to a port without TLS, http:// to a port with TLS, and an untrusted certificate', async () => {
    const front = await startTlsFront(sandbox.port, 'http/1.1')
    closeAfter.push(() => front.close())
    await expectFault('provider_unavailable', /does not speak TLS as we do\)\. Check the port/, {
      issuer: `https://localhost:${sandbox.port}`,
    })
    await expectFault('provider_unavailable', /breaks off, or does not speak HTTP\)\. Check scheme and port/, {
      issuer: `http://localhost:${front.port}`,
    })
    await expectFault('provider_unavailable', /\(DEPTH_ZERO_SELF_SIGNED_CERT: .*\)\. Name .* NODE_EXTRA_CA_CERTS/, {
      issuer: `https://localhost:${front.port}`,
    })
  })

  test('an HTML page instead of JSON, with 200 and with 404', async () => {
    const html = await serve((_req, res) => void res.setHeader('content-type', 'text/html').end(PAGE))
    await expectFault(
      'provider_unavailable',
      /discovery at .*not the JSON it should be\)\. Check that PPOPPO_AUTH_URL/,
      {
        issuer: html,
      },
    )
    const missing = await serve((_req, res) => void res.writeHead(404, { 'content-type': 'text/html' }).end(PAGE))
    const neither =
      /no discovery document \(HTTP 404\), and no keys at \S+jwks\.json \(HTTP 404\)\. Check PPOPPO_AUTH_URL/
    await expectFault('provider_misconfigured', neither, { issuer: missing })
  })

  test('another issuer, even by a slash; a 4xx; a server error; a truncated response', async () => {
    sandbox.control.inject({ endpoint: 'discovery', fault: { kind: 'wrong-issuer' }, times: 'until-cleared' })
    await expectFault('provider_misconfigured', /announces another issuer\. Set "issuer" \(PPOPPO_AUTH_URL\)/)
    sandbox.control.reset()
    await expectFault('provider_misconfigured', /slash for slash/, { issuer: `${sandbox.issuer}/` })
    for (const [fault, code, says] of [
      [{ kind: 'status', status: 403 }, 'provider_misconfigured', /refused the discovery at .*\(HTTP 403\)\. Check/],
      [{ kind: 'status', status: 500 }, 'provider_unavailable', /did not complete the discovery at .*\(HTTP 500\)/],
      [{ kind: 'truncated' }, 'provider_unavailable', /not the JSON it should be/],
      [{ kind: 'redirect' }, 'provider_unavailable', /discovery at/],
    ] as const) {
      sandbox.control.inject({ endpoint: 'discovery', fault, times: 'until-cleared' })
      await expectFault(code, says)
      sandbox.control.reset()
    }
  })

  test('without a discovery document, it is ready if the keys can be read, and otherwise not', async () => {
    sandbox.control.inject({ endpoint: 'discovery', fault: { kind: 'status', status: 404 }, times: 'until-cleared' })
    expect((await readinessOf({ issuer: sandbox.issuer }, { timeoutMs: 30_000 })).text).toBe('ready')
  })

  test('unusable keys: none for id_tokens, none at all, not JSON', async () => {
    const answers: [string, string, RegExp][] = [
      [JSON.stringify({ keys: [{ kty: 'RSA', n: 'x', e: 'AQAB' }] }), 'provider_response_invalid', /no Ed25519 key/],
      [JSON.stringify({ keys: [] }), 'provider_response_invalid', /no Ed25519 key: no id_token could be verified/],
      [PAGE, 'provider_unavailable', /request for its keys at http:\S+\/jwks \(the answer is not the JSON/],
    ]
    for (const [keys, code, says] of answers) {
      const issuer: string = await serve((req, res) => {
        const document = { issuer, jwks_uri: `${issuer}/jwks` }
        res.setHeader('content-type', 'application/json')
        res.end(req.url === '/jwks' ? keys : JSON.stringify(document))
      })
      await expectFault(code, says, { issuer })
    }
  })

  test('a PAS that hangs', async () => {
    sandbox.control.inject({ endpoint: 'discovery', fault: { kind: 'hang' }, times: 'until-cleared' })
    await expectFault('provider_unavailable', /did not answer within 700 ms\. Check PPOPPO_AUTH_URL and the network/)
  })
})
