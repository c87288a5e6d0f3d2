import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { type Sandbox, startSandbox } from 'ppoppo-sandbox'
import { createMessaging, type Messaging } from '../../src/messaging/index.js'

let sandbox: Sandbox
let messaging: Messaging

beforeAll(async () => {
  sandbox = await startSandbox({ pasPort: 0, pcsPort: 0 })
  messaging = connect()
})
afterAll(async () => {
  await messaging.close()
  await sandbox.close()
})

function connect(options: object = {}): Messaging {
  const { prefixUrl: apiUrl, tokenUrl, clientId, clientSecret } = pcs()
  return createMessaging({ apiUrl, tokenUrl, clientId, clientSecret, ...options })
}

function pcs(): NonNullable<Sandbox['pcs']> {
  if (!sandbox.pcs) throw new Error('no messaging service')
  return sandbox.pcs
}

const hello = { name: 'hello', components: [{ type: 'text', content: 'Hello {{name}}' }] } as const

describe('against the sandbox, under its path prefix', () => {
  test('a template is created, sent, and arrives', async () => {
    const template = await messaging.templates.create(hello)
    expect(template).toEqual({
      id: expect.stringMatching(/^tpl_/),
      name: 'hello',
      isActive: true,
      version: 1,
      createdAt: expect.any(Date),
    })
    const receipt = await messaging.send({
      templateId: template.id,
      recipients: [{ ppnum: '12345678901', vars: { name: 'Alex' } }],
    })
    expect(receipt).toMatchObject({ id: expect.any(String), totalRecipients: 1 })
    expect(await messaging.status(receipt.id)).toMatchObject({ id: receipt.id, total: 1 })
    expect(await messaging.waitFor(receipt.id)).toMatchObject({ status: 'completed', delivered: 1 })
  })

  test('the four test numbers have their outcomes', async () => {
    const { id: templateId } = await messaging.templates.create({ ...hello, name: 'four' })
    const recipients = [1, 2, 3, 4].map((last) => ({ ppnum: `1230000000${last}`, vars: { name: 'Alex' } }))
    const { id, totalRecipients } = await messaging.send({ templateId, recipients })
    expect(totalRecipients).toBe(4)
    const done = await messaging.waitFor(id)
    expect(done).toMatchObject({ status: 'completed', total: 4, pendingConsent: 0 })
    expect(done.delivered + done.failed).toBe(4)
  })

  test('refusals are told apart', async () => {
    const { id: templateId } = await messaging.templates.create({ ...hello, name: 'taken' })
    await expect(messaging.templates.create({ ...hello, name: 'taken' })).rejects.toMatchObject({
      code: 'template_name_taken',
    })
    const recipients = [{ ppnum: '12345678901' }]
    await expect(messaging.send({ templateId, recipients })).rejects.toMatchObject({
      code: 'request_invalid',
      message: expect.stringContaining('lacks "name"'),
    })
    await expect(messaging.send({ templateId: 'tpl_none', recipients })).rejects.toMatchObject({ code: 'not_found' })
    await expect(messaging.status('none')).rejects.toMatchObject({ code: 'not_found' })
    const wrong = connect({ clientSecret: 'not-the-secret' })
    await expect(
      wrong.send({ templateId, recipients: [{ ppnum: '12345678901', vars: { name: 'A' } }] }),
    ).rejects.toMatchObject({ code: 'credentials_rejected', message: expect.stringContaining('PAS_PCS_CLIENT_SECRET') })
    await wrong.close()
  })

  test('2,500 recipients go out in three sends', async () => {
    const { id: templateId } = await messaging.templates.create({ ...hello, name: 'many' })
    const recipients = Array.from({ length: 2_500 }, (_, index) => ({
      ppnum: String(20_000_000_000 + index),
      vars: { name: `n${index}` },
    }))
    expect(await messaging.sendMany({ templateId, recipients })).toMatchObject({
      accepted: 2_500,
      rejected: 0,
      unknown: 0,
    })
  })

  test('the app, and its health', async () => {
    expect(await messaging.app.stats()).toMatchObject({ isActive: true, rateLimitPerMin: expect.any(Number) })
    expect(await messaging.health()).toEqual({ ok: true, channel: 'ready', hasToken: true })
  })
})
