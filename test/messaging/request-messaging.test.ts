import { inspect } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { type Sandbox, startSandbox } from 'ppoppo-sandbox'
import { ppoppo } from '../../src/index.js'
import { startWorld, type World } from '../support/world.js'

describe('req.ppoppo.messaging and auth.messaging', () => {
  let sandbox: Sandbox
  let world: World
  beforeAll(async () => {
    sandbox = await startSandbox({ pasPort: 0, pcsPort: 0, autoSignIn: 'alex', pcsStepMs: 10 })
    const { prefixUrl, tokenUrl, clientId, clientSecret } = sandbox.pcs ?? {}
    if (!prefixUrl || !tokenUrl || !clientId || !clientSecret) throw new Error('the sandbox runs without PCS')
    world = await startWorld({
      sandbox,
      options: { messaging: { apiUrl: prefixUrl, tokenUrl, clientId, clientSecret } },
      mount(app, auth) {
        app.use(auth)
        app.post('/tell/wrongly', (req, res, next) => {
          const wrong = { templateId: 'tpl_sandbox_welcome', recipients: [{ ppnum: '77700000001' }] }
          req.ppoppo.messaging.sendToUser(wrong as never).then((receipt) => res.json(receipt), next)
        })
        app.post('/tell', (req, res, next) => {
          const { messaging } = req.ppoppo
          messaging
            .sendToUser({ templateId: 'tpl_sandbox_welcome', vars: { name: 'Alex' } })
            .then((receipt) => messaging.waitFor(receipt.id, { deadlineMs: 60_000 }))
            .then((status) => res.json(status), next)
        })
      },
    })
  })
  afterAll(async () => {
    await world.close()
    await sandbox.close()
  })

  test('a message goes to the person who is signed in, filled by the server, and is delivered', async () => {
    const browser = await world.signedIn('mina')
    const answer = await browser.visit(`${world.url}/tell`, { method: 'POST' })
    expect(JSON.parse(answer.text)).toMatchObject({ status: 'completed', total: 1, delivered: 1, failed: 0 })
    expect(sandbox.control.pcs.sends.at(-1)?.recipients).toMatchObject([
      { ppnum: '77700000002', vars: { name: 'Alex' } },
    ])
  })

  test("recipients of one's own are refused, not dropped", async () => {
    const browser = await world.signedIn('mina')
    const answer = await browser.visit(`${world.url}/tell/wrongly`, { method: 'POST' })
    expect([answer.status, JSON.parse(answer.text).code]).toEqual([400, 'request_invalid'])
  })

  test('nobody signed in: signed_out, and nothing is sent', async () => {
    const before = sandbox.control.pcs.sends.length
    const answer = await world.browser().visit(`${world.url}/tell`, { method: 'POST' })
    expect([answer.status, JSON.parse(answer.text).code]).toEqual([401, 'signed_out'])
    expect(sandbox.control.pcs.sends).toHaveLength(before)
  })

  test('the client is one for all requests, and shows no secret', async () => {
    expect((await world.auth.messaging.app.stats()).isActive).toBe(true)
    expect(sandbox.control.counters.tokenClientCredentials).toBe(1)
    expect(inspect(world.auth, { depth: 10, showHidden: true })).not.toContain('sandbox_external_secret')
  })
})

describe('without credentials', () => {
  const options = { clientId: 'a_login_client', baseUrl: 'http://localhost:1', onEvent: () => {} }

  test('the getter works, and every call rejects with what is missing', async () => {
    const auth = ppoppo(options)
    await expect(auth.messaging.status('snd_1')).rejects.toMatchObject({
      code: 'messaging_not_configured',
      message: expect.stringContaining('PAS_PCS_CLIENT_ID'),
    })
    await auth.close()
  })

  test('faults of its options are told with all others, under its own names', () => {
    const wrong = {
      ...options,
      clientId: '',
      messaging: { apiUrl: 'http://api.example/ext', tokenUrl: 'x', secret: 'y' },
    }
    const messages: string[] = []
    try {
      ppoppo(wrong)
    } catch (error) {
      if (error instanceof Error) messages.push(error.message)
    }
    expect(messages.join()).toMatch(/"clientId" \(PPOPPO_CLIENT_ID\)/)
    expect(messages.join()).toMatch(/messaging: "apiUrl" \(PCS_API_URL\) must be https/)
    expect(messages.join()).toMatch(/messaging: "tokenUrl" \(PAS_TOKEN_URL\)/)
    expect(messages.join()).toMatch(/messaging: "secret" is not an option/)
  })
})
