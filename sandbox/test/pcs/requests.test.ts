import { status } from '@grpc/grpc-js'
import { describe, expect, test } from '@jest/globals'
import { connect, type Message, numbers, pcsSandbox, refusalOf, SEND, STATUS, sendTo } from './client.js'

const TEMPLATE = 'ExternalTemplateService/CreateTemplate'
const WELCOME = 'tpl_sandbox_welcome'
const text = { component_type: 'TEXT', content: 'Hi' }

describe('CreateSendRequest', () => {
  test.each<[Message, keyof typeof status, RegExp]>([
    [{ recipients: numbers(1) }, 'INVALID_ARGUMENT', /template_id is missing/],
    [{ template_id: 'tpl_none', recipients: numbers(1) }, 'NOT_FOUND', /template "tpl_none" does not exist/],
    [{ template_id: 'tpl_sandbox_inactive', recipients: numbers(1) }, 'FAILED_PRECONDITION', /is inactive/],
    [{ template_id: WELCOME }, 'INVALID_ARGUMENT', /recipients is empty/],
    [{ template_id: WELCOME, recipients: numbers(1001) }, 'INVALID_ARGUMENT', /recipients holds 1001 numbers/],
    [
      { template_id: WELCOME, recipients: [...numbers(2), { ppnum: '123-1234-5678' }] },
      'INVALID_ARGUMENT',
      /^recipients\[2\]\.ppnum/,
    ],
    [
      { template_id: WELCOME, recipients: [{ ppnum: '1234567890' }] },
      'INVALID_ARGUMENT',
      /^recipients\[0\]\.ppnum is malformed/,
    ],
  ])('%#: %s %s', async (request, code, details) => {
    const { sandbox, pcs } = await pcsSandbox()
    const refusal = await refusalOf((await connect(pcs)).call(SEND, request))
    expect(refusal).toMatchObject({ code: status[code], details: expect.stringMatching(details) })
    expect(sandbox.control.pcs.sends).toEqual([])
  })

  test('takes 1,000 numbers, and of a number that comes twice the first', async () => {
    const { sandbox, pcs } = await pcsSandbox()
    const client = await connect(pcs)
    const first = { ppnum: '77700000000', vars: { fields: { name: { stringValue: 'first' } } } }
    const recipients = [first, ...numbers(1000)]
    expect(await client.call(SEND, { template_id: WELCOME, recipients })).toMatchObject({ total_recipients: 1000 })
    expect(sandbox.control.pcs.sends[0]?.recipients[0]).toMatchObject({ ppnum: '77700000000', vars: { name: 'first' } })
  })

  test('keeps vars as they were sent, byte for byte and as values', async () => {
    const { sandbox, pcs } = await pcsSandbox()
    const client = await connect(pcs)
    const kinds = {
      name: { stringValue: 'Zoë 🎉 "x"\n' },
      count: { numberValue: -0.1 },
      yes: { boolValue: false },
      none: { nullValue: 'NULL_VALUE' },
      list: { listValue: { values: [{ numberValue: 1 }, { stringValue: '' }] } },
      nested: { structValue: { fields: { __proto__x: { stringValue: 'p' } } } },
    }
    const request = { template_id: WELCOME, recipients: [{ ppnum: '77700000001', vars: { fields: kinds } }] }
    await client.call(SEND, request)
    const [send] = sandbox.control.pcs.sends
    expect(send?.recipients[0]?.vars).toEqual({
      name: 'Zoë 🎉 "x"\n',
      count: -0.1,
      yes: false,
      none: null,
      list: [1, ''],
      nested: { __proto__x: 'p' },
    })
    const bytes = Buffer.from(send?.requestBytes ?? [])
    expect(bytes.includes(Buffer.from('Zoë 🎉 "x"\n'))).toBe(true)
    expect(bytes.equals(client.encode(SEND, request))).toBe(true)
  })

  test('placeholders: both spellings, nested values, and those without a value stay', async () => {
    const { sandbox, pcs } = await pcsSandbox()
    const content = 'Hello {{ name }}, {count} of {{order.total}}; {{missing}} {also} { "json": 1 }'
    const { id } = sandbox.control.pcs.addTemplate({ name: 'All', components: [{ component_type: 'TEXT', content }] })
    const client = await connect(pcs)
    const vars = {
      fields: {
        name: { stringValue: 'Mina' },
        count: { numberValue: 2 },
        order: { structValue: { fields: { total: { numberValue: 3 } } } },
      },
    }
    const { id: sendId } = await client.call(SEND, { template_id: id, recipients: [{ ppnum: '77700000001', vars }] })
    while (sandbox.control.pcs.messages.length === 0) await new Promise(setImmediate)
    expect(sandbox.control.pcs.messages).toEqual([
      {
        messageId: expect.stringMatching(/^msg_/),
        sendRequestId: sendId,
        ppnum: '77700000001',
        text: 'Hello Mina, 2 of 3; {{missing}} {also} { "json": 1 }',
      },
    ])
  })
})

describe('GetSendRequestStatus', () => {
  test('adds up, and is NOT_FOUND for an id that is not there', async () => {
    const { pcs } = await pcsSandbox()
    const client = await connect(pcs)
    const all = ['12300000001', '12300000002', '12300000003', '12300000004']
    const id = (await sendTo(client, ...all)).at(-1)?.['send_request_id']
    expect(await client.call(STATUS, { id })).toEqual({
      status: 'COMPLETED',
      total: 4,
      delivered: 2,
      pending_consent: 0,
      failed: 2,
    })
    expect(await refusalOf(client.call(STATUS, { id: 'snd_none' }))).toMatchObject({ code: status.NOT_FOUND })
  })

  test('goes QUEUED, PROCESSING with consents pending, COMPLETED', async () => {
    const { sandbox, pcs } = await pcsSandbox({ pcsConsentMs: 60_000 })
    const client = await connect(pcs)
    const receipt = await client.call(SEND, { template_id: WELCOME, recipients: [{ ppnum: '12300000002' }] })
    expect(receipt['status']).toBe('QUEUED')
    const ask = (): Promise<Message> => client.call(STATUS, { id: receipt['id'] })
    while ((await ask())['pending_consent'] !== 1);
    expect(await ask()).toMatchObject({ status: 'PROCESSING', delivered: 0 })
    expect(sandbox.control.pcs.sends[0]).toMatchObject({ status: 'PROCESSING', pendingConsent: 1 })
  })
})

describe('CreateTemplate', () => {
  const poll = { component_type: 'POLL', question: 'Q?', options: ['a', 'b'] }
  test.each<[Message, RegExp]>([
    [{ name: ' ', components: [text] }, /name must be a text/],
    [{ name: 'T', components: [] }, /components must be 1 to 20/],
    [{ name: 'T', components: [{ content: 'x' }] }, /components\[0\]\.component_type must be one of TEXT/],
    [{ name: 'T', components: [text, { component_type: 'TEXT' }] }, /components\[1\]\.content is missing/],
    [{ name: 'T', components: [{ component_type: 'BUTTON', label: 'Go' }] }, /\.url is missing: a BUTTON needs it/],
    [
      { name: 'T', components: [{ component_type: 'BUTTON', label: 'Go', url: 'javascript:1' }] },
      /must be an absolute http/,
    ],
    [{ name: 'T', components: [{ component_type: 'IMAGE' }] }, /\.url is missing: a IMAGE needs it/],
    [{ name: 'T', components: [{ ...poll, options: ['a'] }] }, /\.options must be 2 to 10 texts/],
    [{ name: 'T', components: [{ ...poll, options: ['a', 'a'] }] }, /\.options must differ/],
    [{ name: 'T', components: [poll, poll] }, /no more than one POLL/],
  ])('%#: %j is INVALID_ARGUMENT', async (request, details) => {
    const { pcs } = await pcsSandbox()
    const refusal = await refusalOf((await connect(pcs)).call(TEMPLATE, request))
    expect(refusal).toMatchObject({ code: status.INVALID_ARGUMENT, details: expect.stringMatching(details) })
  })

  test('a name that is taken is ALREADY_EXISTS; a template can be put out of use', async () => {
    const { sandbox, pcs } = await pcsSandbox()
    const client = await connect(pcs)
    const components = [text, { component_type: 'DIVIDER' }, poll]
    const { id } = await client.call(TEMPLATE, { name: 'Once', components })
    expect(await refusalOf(client.call(TEMPLATE, { name: 'Once', components }))).toMatchObject({
      code: status.ALREADY_EXISTS,
      details: 'a template named "Once" exists already',
    })
    sandbox.control.pcs.setTemplateActive(String(id), false)
    const send = client.call(SEND, { template_id: id, recipients: numbers(1) })
    expect(await refusalOf(send)).toMatchObject({ code: status.FAILED_PRECONDITION })
  })
})
