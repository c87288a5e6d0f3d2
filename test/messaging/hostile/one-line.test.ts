import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import { inspect } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { type Sandbox, startSandbox } from 'ppoppo-sandbox'
import type { MessagingOptions } from '../../../src/config/messaging-options.js'
import { isPpoppoError } from '../../../src/errors.js'
import { createMessaging } from '../../../src/messaging/index.js'
import type { Messaging } from '../../../src/messaging/types/methods.js'
import { sendJson, startTokenEndpoint as startFakeTokenEndpoint } from '../support/fake-token-endpoint.js'
import { call, connect, type Outcome, outcomeOf, SECRET, startTokenEndpoint } from './hostile-client.js'
import { answerStatus, startRawServer } from './raw-server.js'

let sandbox: Sandbox
let page: Server
let pageUrl: string
let right: Required<Pick<MessagingOptions, 'apiUrl' | 'tokenUrl' | 'clientId' | 'clientSecret'>>

beforeAll(async () => {
  sandbox = await startSandbox({ pasPort: 0, pcsPort: 0 })
  if (!sandbox.pcs) throw new Error('no messaging service')
  const { prefixUrl: apiUrl, tokenUrl, clientId, clientSecret } = sandbox.pcs
  right = { apiUrl, tokenUrl, clientId, clientSecret }
  page = createServer((_request, response) =>
    response.writeHead(404, { 'content-type': 'text/html' }).end('<h1>?</h1>'),
  )
  page.listen(0, '127.0.0.1')
  await once(page, 'listening')
  pageUrl = `http://127.0.0.1:${(page.address() as { port: number }).port}`
})
afterAll(async () => {
  page.close()
  await sandbox.close()
})

/** The first call with one thing wrong. */
async function firstCall(wrong: MessagingOptions): Promise<Outcome> {
  const options = { ...right, ...wrong }
  const { apiUrl = '', tokenUrl = '' } = options
  const messaging: Messaging = connect(apiUrl, tokenUrl, options)
  try {
    return await outcomeOf(messaging.app.stats())
  } finally {
    await messaging.close()
  }
}

describe('one line that names the fix', () => {
  test.each<[string, () => MessagingOptions, string, RegExp]>([
    [
      'a wrong secret',
      () => ({ clientSecret: 'wrong-secret-0123456789' }),
      'credentials_rejected',
      /PAS_PCS_CLIENT_SECRET/,
    ],
    [
      'an id nobody knows',
      () => ({ clientId: 'no_such_client' }),
      'credentials_rejected',
      /no_such_client.*PAS_PCS_CLIENT_ID/,
    ],
    [
      'a wrong prefix',
      () => ({ apiUrl: `${right.apiUrl}/v2` }),
      'messaging_misconfigured',
      /PCS_API_URL.*"\/ext\/v2".*"\/ext"/,
    ],
    [
      'a server without HTTP/2',
      () => ({ apiUrl: pageUrl }),
      'messaging_misconfigured',
      /not speak HTTP\/2.*PCS_API_URL/,
    ],
    [
      'another page for the token endpoint',
      () => ({ tokenUrl: `${pageUrl}/token` }),
      'messaging_misconfigured',
      /PAS_TOKEN_URL/,
    ],
    [
      'a host that is not there',
      () => ({ apiUrl: 'https://pcs.invalid/ext' }),
      'messaging_unavailable',
      /pcs\.invalid.*PCS_API_URL/,
    ],
    [
      'a token host that is not there',
      () => ({ tokenUrl: 'https://pas.invalid/token' }),
      'messaging_unavailable',
      /pas\.invalid.*PAS_TOKEN_URL/,
    ],
    [
      'TLS to a server without',
      () => ({ apiUrl: right.apiUrl.replace('http:', 'https:') }),
      'messaging_misconfigured',
      /does not speak TLS.*PCS_API_URL/,
    ],
  ])('%s', async (_, wrong, code, names) => {
    const { outcome, error } = await firstCall(wrong())
    expect(outcome).toBe(code)
    expect(error?.message).toMatch(names)
    expect(error?.message).not.toContain('\n')
    expect(error?.message.length).toBeLessThan(500)
  })

  test.each<[string, MessagingOptions, RegExp]>([
    ['API', { apiUrl: 'http://pcs.example/ext' }, /"apiUrl" \(PCS_API_URL\).*https/],
    ['token endpoint', { tokenUrl: 'http://pas.example/token' }, /"tokenUrl" \(PAS_TOKEN_URL\).*https/],
  ])('plaintext to a foreign host: %s', (_, wrong, names) => {
    const made = () => createMessaging({ ...right, ...wrong })
    expect(made).toThrow(names)
    expect(made).toThrow(expect.objectContaining({ code: 'config_invalid' }))
  })
})

describe('no secret in any error', () => {
  const whole = (value: unknown) =>
    inspect(value, { depth: 10, showHidden: true, getters: true }) +
    JSON.stringify(value) +
    String((value as Error)?.stack)

  test.each([2, 7, 8, 12, 13, 14, 16])('where a server echoes what it was sent, with status %d', async (code) => {
    const tokens = await startTokenEndpoint()
    const echo = await startRawServer((stream, index, { seen }) => {
      const bearer = String(seen[index]?.authorization)
      answerStatus(code, `you sent ${bearer}`, { 'x-echo': bearer }, index % 2 === 1)(stream)
    })
    const messaging = connect(echo.url, tokens.url)
    for (const operation of ['status', 'send'] as const) {
      const { error } = await outcomeOf(call(messaging, operation))
      expect(isPpoppoError(error)).toBe(true)
      expect(whole(error)).not.toMatch(/token-\d/)
      expect(whole(error)).not.toContain(SECRET)
    }
    expect(whole(messaging)).not.toContain(SECRET)
    await messaging.close()
    await Promise.all([echo.close(), tokens.close()])
  })

  test('where a server echoes a token percent-encoded, as connect-es does', async () => {
    const token = 'opaque/half+0123456789=='
    const tokens = await startFakeTokenEndpoint()
    tokens.answer = (response) => sendJson(response, 200, { access_token: token, token_type: 'Bearer', expires_in: 60 })
    const echo = await startRawServer(answerStatus(9, `not with ${token}`))
    const messaging = connect(echo.url, tokens.url)
    const { error } = await outcomeOf(call(messaging, 'send'))
    expect(error?.message).toContain('not with [removed]')
    expect(whole(error)).not.toMatch(/half|opaque/)
    await messaging.close()
    await Promise.all([echo.close(), tokens.close()])
  })

  test('where a token endpoint echoes what it was sent, or fails', async () => {
    const echo = createServer((request, response) => {
      let body = ''
      request.on('data', (piece) => {
        body += piece
      })
      request.on('end', () => response.writeHead(400).end(JSON.stringify({ error: body, error_description: body })))
    }).listen(0, '127.0.0.1')
    await once(echo, 'listening')
    const { port } = echo.address() as { port: number }
    for (const tokenUrl of [`http://127.0.0.1:${port}/token`, 'http://127.0.0.1:1/token']) {
      const { error } = await firstCall({ tokenUrl, clientSecret: SECRET })
      expect(isPpoppoError(error)).toBe(true)
      expect(whole(error)).not.toContain(SECRET)
    }
    echo.close()
  })
})
