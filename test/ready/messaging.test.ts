import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import { type Sandbox, startSandbox } from 'ppoppo-sandbox'
import type { MessagingOptions, PpoppoOptions } from '../../src/index.js'
import { CLIENT } from '../messaging/support/fake-token-endpoint.js'
import { startWorld } from '../messaging/support/world.js'
import { faultOf, readinessOf } from '../support/readiness.js'
import { findFreePort } from '../support/redis.js'

describe('U9 auth.ready() with messaging', () => {
  let sandbox: Sandbox
  beforeAll(async () => {
    sandbox = await startSandbox({ pasPort: 0, pcsPort: 0 })
  })
  beforeEach(() => sandbox.control.reset())
  afterAll(() => sandbox.close())

  function toOptions(over: MessagingOptions = {}): PpoppoOptions {
    const { url: apiUrl = '', tokenUrl = '', clientId = '', clientSecret = '' } = sandbox.pcs ?? {}
    const messaging = { apiUrl, tokenUrl, clientId, clientSecret, ...over }
    return { issuer: sandbox.issuer, messaging }
  }

  test('resolves with a token and a connection; without credentials, messaging is not checked', async () => {
    expect(await readinessOf(toOptions(), { timeoutMs: 30_000 })).toEqual({ text: 'ready', warnings: [] })
    const { apiUrl, tokenUrl } = { apiUrl: 'http://127.0.0.1:1', tokenUrl: 'http://127.0.0.1:1/token' }
    expect((await readinessOf({ issuer: sandbox.issuer, messaging: { apiUrl, tokenUrl } })).text).toBe('ready')
  })

  test('reports a wrong secret at once; also a token endpoint or PCS that is down, and a wrong path', async () => {
    const secret = 'hush-hush-hush'
    const refused = await readinessOf(toOptions({ clientSecret: secret }), { timeoutMs: 120_000 })
    expect([refused.error?.code, refused.text]).toEqual([
      'credentials_rejected',
      expect.stringMatching(/^Not ready:\n- PAS refuses the client .* Check PAS_PCS_CLIENT_ID/),
    ])
    expect(refused.text).not.toContain(secret)
    const away = `http://127.0.0.1:${await findFreePort()}`
    for (const [over, code, says] of [
      [
        { tokenUrl: `${away}/token` },
        'messaging_unavailable',
        /token endpoint \S+\/token gives no token \(ECONNREFUSED\)\./,
      ],
      [
        { apiUrl: away },
        'messaging_unavailable',
        /PCS at \S+:\d+ does not answer: .*ECONNREFUSED.*\. Check PCS_API_URL/,
      ],
      [{ apiUrl: `${sandbox.pcs?.url}/elsewhere` }, 'messaging_misconfigured', /path of PCS_API_URL is wrong/],
    ] as const) {
      const { error, text } = await faultOf(toOptions(over), says)
      expect([error?.code, text]).toEqual([code, expect.stringMatching(says)])
    }
  })

  test('resolves with a warning for a suspended app, because people can still sign in', async () => {
    const world = await startWorld()
    try {
      const messaging = { apiUrl: world.pcs.url, tokenUrl: world.pas.url, ...CLIENT }
      world.pcs.answer = () => ({ ok: { id: 'app_1', is_active: false } })
      const { text, warnings } = await readinessOf({ issuer: sandbox.issuer, messaging }, { timeoutMs: 20_000 })
      expect([text, warnings]).toEqual(['ready', [expect.stringMatching(/app_1 is not active\. Ask Ppoppo why/)]])
    } finally {
      await world.close()
    }
  })
})
