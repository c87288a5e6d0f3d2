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
})
