import { request } from 'node:http'
import { beforeEach, describe, expect, test } from '@jest/globals'
import { until } from '../../test/support/until.js'
import type { Sandbox } from '../src/index.js'
import { pcsSandbox } from './pcs/client.js'
import { sandboxFor } from './support.js'

const ALEX = '77700000001'
const MINA = '77700000002'

let sandbox: Sandbox

beforeEach(async () => {
  sandbox = (await pcsSandbox({ pcsHold: true })).sandbox
})

async function send(templateId: string, ...ppnums: string[]): Promise<string> {
  await sandbox.seed({ messages: [{ templateId, ppnums, vars: { name: '<i>Jo</i>', number: '42' } }] })
  return sandbox.control.pcs.sends.at(-1)?.id ?? ''
}

interface Answer {
  readonly status: number
  readonly headers: NodeJS.Dict<string | string[]>
  readonly text: string
}

/** With the headers given and no others: fetch would set some of its own. */
function ask(path: string, headers: Record<string, string> = {}, form?: Record<string, string>): Promise<Answer> {
  const body = form && new URLSearchParams(form).toString()
  const method = form === undefined ? 'GET' : 'POST'
  return new Promise((resolve, reject) => {
    const type = form === undefined ? {} : { 'Content-Type': 'application/x-www-form-urlencoded' }
    const asking = request(`${sandbox.issuer}/__sandbox/inbox${path}`, { method, headers: { ...type, ...headers } })
    asking.once('error', reject)
    asking.once('response', async (response) => {
      const parts: Buffer[] = []
      for await (const part of response) parts.push(part)
      resolve({ status: response.statusCode ?? 0, headers: response.headers, text: Buffer.concat(parts).toString() })
    })
    asking.end(body)
  })
}

const own = () => ({ Origin: sandbox.issuer, 'Sec-Fetch-Site': 'same-origin' })
const stateOf = (ppnum: string) => sandbox.control.pcs.inbox({ ppnum })[0]?.state

describe('deciding about messages that are held', () => {
  test('each decision has its state and its event, and the send completes with the last', async () => {
    const numbers = [1, 2, 3, 4].map((n) => `7770000000${n}`)
    const id = await send('tpl_order_placed', ...numbers)
    const [delivered = '', failed = '', granted = '', denied = ''] = numbers
    sandbox.control.pcs.decide(id, delivered, 'deliver')
    sandbox.control.pcs.decide(id, failed, 'fail')
    for (const ppnum of [granted, denied]) sandbox.control.pcs.decide(id, ppnum, 'ask-consent')
    expect(sandbox.control.pcs.sends[0]).toMatchObject({
      status: 'PROCESSING',
      delivered: 1,
      failed: 1,
      pendingConsent: 2,
    })
    sandbox.control.pcs.decide(id, granted, 'grant')
    sandbox.control.pcs.decide(id, denied, 'deny')
    expect(sandbox.control.pcs.sends[0]).toMatchObject({
      status: 'COMPLETED',
      delivered: 2,
      failed: 2,
      pendingConsent: 0,
    })
    expect(numbers.map(stateOf)).toEqual(['delivered', 'failed', 'delivered', 'consent_denied'])
    expect(sandbox.control.pcs.events.map(({ event_type }) => event_type)).toEqual([
      'RECIPIENT_DELIVERED',
      'RECIPIENT_FAILED',
      'RECIPIENT_PENDING_CONSENT',
      'RECIPIENT_PENDING_CONSENT',
      'CONSENT_GRANTED',
      'RECIPIENT_DELIVERED',
      'CONSENT_DENIED',
      'REQUEST_COMPLETED',
    ])
  })

  test('what is decided cannot be decided again', async () => {
    const id = await send('tpl_order_placed', ALEX)
    sandbox.control.pcs.decide(id, ALEX, 'deliver')
    expect(() => sandbox.control.pcs.decide(id, ALEX, 'fail')).toThrow(`the message to ${ALEX} is delivered`)
    expect(() => sandbox.control.pcs.decide(id, ALEX, 'grant')).toThrow(TypeError)
    expect(() => sandbox.control.pcs.decide(id, MINA, 'deliver')).toThrow('"ppnum" must be a recipient')
    expect(() => sandbox.control.pcs.decide('snd_none', ALEX, 'deliver')).toThrow('is not a send request')
  })

  test('no longer held, what was left goes on by itself, consent and polls, too', async () => {
    await send('tpl_sandbox_poll', ALEX, '12300000002')
    await until(() => sandbox.control.pcs.sends[0]?.status === 'PROCESSING', 'it is under way')
    expect(sandbox.control.pcs.events).toEqual([])
    sandbox.control.set({ pcsHold: false })
    await until(() => sandbox.control.pcs.inbox().every(({ poll }) => poll?.answers.length === 1), 'all have answered')
    expect(sandbox.control.pcs.sends[0]).toMatchObject({ status: 'COMPLETED', delivered: 2 })
  })

  test('over HTTP: POST /__sandbox/pcs/decide', async () => {
    const sendRequestId = await send('tpl_order_placed', ALEX)
    const decide = (decision: string) =>
      fetch(`${sandbox.issuer}/__sandbox/pcs/decide`, {
        method: 'POST',
        headers: { 'Content-Type': 'application/json' },
        body: JSON.stringify({ sendRequestId, ppnum: ALEX, decision }),
      })
    expect((await decide('lose')).status).toBe(400)
    expect((await decide('deliver')).status).toBe(200)
    expect(stateOf(ALEX)).toBe('delivered')
  })
})

describe('the inbox page', () => {
  test('shows messages by recipient, newest first, escaped, and allows nothing from elsewhere', async () => {
    await send('tpl_sandbox_welcome', ALEX)
    await send('tpl_order_placed', MINA)
    const { status, headers, text } = await ask('')
    expect(status).toBe(200)
    expect(text.indexOf('777-0000-0002')).toBeLessThan(text.indexOf('777-0000-0001'))
    expect(text).toContain('Hello &lt;i&gt;Jo&lt;/i&gt;')
    expect(text).not.toContain('<i>')
    expect(headers['content-security-policy']).toMatch(
      /^default-src 'none'; style-src 'sha256-\S+'; script-src 'sha256-\S+'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'$/,
    )
    expect(headers).toMatchObject({
      'cache-control': 'no-store',
      'cross-origin-resource-policy': 'same-origin',
      'x-content-type-options': 'nosniff',
    })
    expect(headers['set-cookie']).toBeUndefined()
  })

  test('shows one number, where that is asked for', async () => {
    await send('tpl_order_placed', ALEX, MINA)
    const { text } = await ask(`?to=${MINA}`)
    expect(text).toContain('777-0000-0002')
    expect(text).not.toContain('777-0000-0001')
  })

  test('its forms do what they say', async () => {
    const sendRequestId = await send('tpl_sandbox_poll', ALEX)
    const about = { sendRequestId, ppnum: ALEX }
    expect((await ask('/decide', own(), { ...about, decision: 'deliver' })).status).toBe(303)
    expect((await ask('/answer', own(), { ...about, option: 'Pizza' })).status).toBe(303)
    expect((await ask('/hold', own(), { hold: 'false' })).status).toBe(303)
    expect(sandbox.control.pcs.inbox()[0]?.poll?.answers).toEqual(['Pizza'])
    expect(sandbox.control.switches.pcsHold).toBe(false)
    expect(await ask('/answer', own(), { ...about, option: 'Soup' })).toMatchObject({ status: 400 })
    expect(await ask('/decide', own(), {})).toMatchObject({ status: 400, text: '"sendRequestId" is missing' })
  })

  test.each<[string, () => Record<string, string>]>([
    ['without Origin', () => ({})],
    ['of another origin', () => ({ ...own(), Origin: 'http://localhost:1' })],
    ['of an opaque origin', () => ({ ...own(), Origin: 'null' })],
    ['for another name of this machine', () => ({ Origin: 'http://evil.example', Host: 'evil.example' })],
  ])('takes no form %s', async (_, headers) => {
    expect((await ask('/hold', headers(), { hold: 'false' })).status).toBe(403)
    expect(sandbox.control.switches.pcsHold).toBe(true)
  })

  test('another page may link to it, and read nothing of it', async () => {
    const link = { 'Sec-Fetch-Site': 'cross-site', 'Sec-Fetch-Mode': 'navigate' }
    expect((await ask('', link)).status).toBe(200)
    for (const path of ['/messages', '/events']) expect((await ask(path, link)).status).toBe(403)
    expect((await ask('', { Origin: 'https://evil.example' })).status).toBe(403)
    expect((await ask('', { Host: 'evil.example' })).status).toBe(403)
  })

  test('there is nothing else there, and without messaging no page', async () => {
    expect((await ask('/other')).status).toBe(404)
    expect((await ask('/other', own(), {})).status).toBe(404)
    const { issuer, inboxUrl } = await sandboxFor()
    expect((await fetch(`${issuer}/__sandbox/inbox`)).status).toBe(404)
    expect(inboxUrl).toBeUndefined()
  })

  test('close() ends the streams of open pages', async () => {
    const open = await fetch(`${sandbox.inboxUrl}/events`)
    const reading = open.text().catch(() => '')
    await send('tpl_order_placed', ALEX)
    await sandbox.close()
    await reading
  })
})
