import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals'
import { type Sandbox, startSandbox } from 'ppoppo-sandbox'
import { parseCampaignRequest } from '../../../src/campaigns/options.js'
import { createMessaging, defineTemplate, type Messaging, type StandardSchema } from '../../../src/messaging/index.js'
import { createMessagingDouble } from '../../../src/testing/index.js'

interface Order {
  readonly order: string
  readonly on?: Date
}
type OrderVars = { readonly order: string; readonly on: string | undefined }

/** As a schema library would make it: checks, transforms, and has words that quote the value. */
function schemaOf(isAsync: boolean): StandardSchema<Order, OrderVars> {
  const check = (value: unknown) => {
    const { order, on } = Object(value)
    if (order === 'boom') throw new TypeError('4242-secret')
    if (typeof order !== 'string')
      return {
        issues: [
          { message: `expected text, got ${order}`, path: ['order'] },
          { message: 'worse', path: [] },
        ],
      }
    if (order === 'nested') return { issues: [{ message: 'x', path: [{ key: 'list' }, 2, 'odd name'] }] }
    return { value: { order: order.toUpperCase(), on: on === undefined ? undefined : on.toISOString() } }
  }
  const validate = (value: unknown) => (isAsync ? Promise.resolve().then(() => check(value)) : check(value))
  return { '~standard': { version: 1, vendor: 'tests', validate } }
}

const to = (count: number) => Array.from({ length: count }, (_, index) => `1230000${String(index).padStart(4, '0')}`)

describe.each([
  ['a sync schema', false],
  ['an async schema', true],
])('a defined template with %s', (_name, isAsync) => {
  const template = defineTemplate({ id: 'tpl_1', vars: schemaOf(isAsync) })
  const [ppnum = '', other = ''] = to(2)

  test('what comes out of the schema is sent, without what is undefined', async () => {
    const messaging = createMessagingDouble()
    const on = new Date(0)
    await messaging.send({
      template,
      recipients: [
        { ppnum, vars: { order: 'a', on } },
        { ppnum: other, vars: { order: 'b' } },
      ],
    })
    expect(messaging.last()).toMatchObject({ templateId: 'tpl_1' })
    expect(messaging.last()?.recipients).toEqual([
      { ppnum, vars: { order: 'A', on: on.toISOString() } },
      { ppnum: other, vars: { order: 'B' } },
    ])
  })

  test('what does not fit is named by index and path, never by its value, and nothing is sent', async () => {
    const messaging = createMessagingDouble()
    const bad = (vars: object) =>
      messaging.send({
        template,
        recipients: [
          { ppnum, vars: { order: 'a' } },
          { ppnum: other, vars: vars as Order },
        ],
      })
    await expect(bad({ order: 4_242 })).rejects.toMatchObject({
      code: 'request_invalid',
      message: '"recipients[1].vars.order" does not fit the schema of the template tpl_1 (and 1 more).',
    })
    await expect(bad({ order: 'nested' })).rejects.toThrow('"recipients[1].vars.list[2]["odd name"]" does not fit')
    await expect(bad({ order: 'boom' })).rejects.toMatchObject({
      code: 'config_invalid',
      message: 'The schema of the template tpl_1 threw TypeError. Nothing was sent.',
    })
    expect(messaging.sent).toEqual([])
  })

  test('sendMany checks recipients as it reads them, and can skip those that do not fit', async () => {
    const messaging = createMessagingDouble()
    const recipients = to(5).map((one, index) => ({
      ppnum: one,
      vars: { order: index === 3 ? (4_242 as unknown as string) : 'a' },
    }))
    await expect(messaging.sendMany({ template, recipients })).rejects.toThrow('"recipients[3].vars.order"')
    const report = await messaging.sendMany({ template, recipients, onInvalidRecipient: 'skip' })
    expect(report).toMatchObject({
      accepted: 4,
      invalid: 1,
      invalidRecipients: [{ index: 3, code: 'request_invalid' }],
    })
    expect(messaging.last()?.recipients[0]?.vars).toEqual({ order: 'A' })
    // A schema that is broken is no recipient to skip.
    const broken = [{ ppnum, vars: { order: 'boom' } }]
    await expect(messaging.sendMany({ template, recipients: broken, onInvalidRecipient: 'skip' })).rejects.toThrow(
      'threw TypeError',
    )
  })
})

describe('defined templates', () => {
  const template = defineTemplate({ id: 'tpl_1', vars: schemaOf(false) })
  const [ppnum = ''] = to(1)

  test('a schema that never answers is an error after ten seconds', async () => {
    jest.useFakeTimers({ doNotFake: ['nextTick', 'setImmediate', 'performance'] })
    try {
      const standard = {
        version: 1,
        vendor: 'tests',
        validate: () => new Promise<{ value: OrderVars }>(() => {}),
      } as const
      const silent = defineTemplate({ id: 'tpl_1', vars: { '~standard': standard } })
      const outcome = createMessagingDouble()
        .send({ template: silent, recipients: [{ ppnum, vars: {} }] })
        .catch((error: unknown) => error)
      await jest.advanceTimersByTimeAsync(10_000)
      expect(await outcome).toMatchObject({ code: 'config_invalid', message: expect.stringContaining('took longer') })
    } finally {
      jest.useRealTimers()
    }
  })

  test('a campaign is checked when it is created', () => {
    const { settings, checkVars } = parseCampaignRequest({ id: 'c', template, recipients: [] })
    expect(settings.templateId).toBe('tpl_1')
    expect(checkVars?.({ ppnum, vars: { order: 'a' } }, 0)).toEqual({ ppnum, vars: { order: 'A' } })
  })

  test.each([
    [{ template: { id: 'tpl_1' }, recipients: [] }, '"template" must be made by defineTemplate()'],
    [{ template, templateId: 'tpl_2', recipients: [] }, '"templateId" is in "template" already'],
    [{ template, recipients: 'all' }, '"recipients" must be a list'],
    [{ template, recipients: [7] }, '"recipients[0]" must be an object'],
  ])('send(%j) is rejected', async (request, message) => {
    await expect(createMessagingDouble().send(request as never)).rejects.toThrow(message)
  })

  test.each([
    [{ id: '', vars: schemaOf(false) }, '"id" must be an id'],
    [{ id: 'tpl_1', vars: {} }, '"vars" must be a Standard Schema'],
    [{ id: 'tpl_1', vars: schemaOf(false), name: 'x' }, '"name" is not known'],
  ])('defineTemplate(%j) is rejected', (options, message) => {
    expect(() => defineTemplate(options as never)).toThrow(message)
  })
})

describe('the real client', () => {
  let sandbox: Sandbox
  let messaging: Messaging
  beforeAll(async () => {
    sandbox = await startSandbox({ pasPort: 0, pcsPort: 0 })
    const { prefixUrl: apiUrl = '', tokenUrl = '', clientId = '', clientSecret = '' } = sandbox.pcs ?? {}
    messaging = createMessaging({ apiUrl, tokenUrl, clientId, clientSecret })
  })
  afterAll(async () => {
    await messaging.close()
    await sandbox.close()
  })

  test('checks vars before the call, and sends what the schema put out', async () => {
    const { id } = await messaging.templates.create({
      name: 'order',
      components: [{ type: 'text', content: '{{order}}' }],
    })
    const template = defineTemplate({ id, vars: schemaOf(true) })
    const recipients = [{ ppnum: '12300000001', vars: { order: 'a' } }]
    expect(await messaging.send({ template, recipients })).toMatchObject({ totalRecipients: 1 })
    expect((await messaging.sendMany({ template, recipients })).accepted).toBe(1)
    const bad = [{ ppnum: '12300000001', vars: { order: 1 as unknown as string } }]
    await expect(messaging.send({ template, recipients: bad })).rejects.toThrow('"recipients[0].vars.order"')
  })
})
