import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import { grpc, loader, OWN_PROTO } from '../support/fake-pcs.js'
import { type MessagingWorld, REQUEST, startWorld } from '../support/world.js'

let world: MessagingWorld
let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'ppoppo-proto-'))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))
beforeEach(async () => {
  world = await startWorld()
})
afterEach(() => world.close())

const VARS = {
  text: 'žluťoučký 🐎 \u0000 {{x}}',
  empty: '',
  zero: 0,
  minus: -0,
  big: 9_007_199_254_740_991,
  small: 5e-324,
  yes: true,
  no: false,
  nothing: null,
  list: [1, [], ['a', null], {}],
  nested: { a: { 'b c': [{ d: false }] } },
  constructor: 'a name like any other',
}

/** A `Struct` as proto-loader decodes it, as plain data. */
function fromStruct({ fields = {} }: { fields?: Record<string, never> }): object {
  return Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, fromValue(value)]))
}
function fromValue(value: Record<string, never>): unknown {
  const [[kind = '', inner] = []] = Object.entries(value)
  if (kind === 'nullValue') return null
  if (kind === 'structValue') return fromStruct(inner ?? {})
  if (kind === 'listValue') return ((inner as { values?: never[] } | undefined)?.values ?? []).map(fromValue)
  return inner
}

function descriptorSet(proto = OWN_PROTO): Buffer {
  const [definition] = Object.values(loader.loadSync(proto, { keepCase: true }))
  const method = Object.values(definition ?? {})[0] as { requestType: { fileDescriptorProtos: Buffer[] } }
  // FileDescriptorSet { repeated FileDescriptorProto file = 1; }
  return Buffer.concat(
    method.requestType.fileDescriptorProtos.flatMap((file) => [Buffer.from([0x0a]), varint(file.length), file]),
  )
}
function varint(value: number): Buffer {
  const bytes: number[] = []
  for (let rest = value; ; rest >>>= 7) {
    if (rest < 0x80) return Buffer.from([...bytes, rest])
    bytes.push((rest & 0x7f) | 0x80)
  }
}

function variant(name: string, change: (text: string) => string): string {
  const file = join(folder, `${name}.proto`)
  writeFileSync(file, change(readFileSync(OWN_PROTO, 'utf8')))
  return file
}

describe('a send on the wire', () => {
  test.each(['our transcription', 'a descriptor set'])('carries vars byte for byte, by %s', async (which) => {
    const client = world.connect(which === 'a descriptor set' ? { descriptor: descriptorSet() } : {})
    await client.send({
      templateId: 'tpl_1',
      recipients: [
        { ppnum: '12345678901', vars: VARS },
        { ppnum: '0012345678901' },
        { ppnum: '12345678902', vars: {} },
      ],
      poll: { expiresInHours: 24, allowMultiple: true },
    })
    const request = world.pcs.calls[0]?.request ?? {}
    expect(request).toMatchObject({
      template_id: 'tpl_1',
      recipients: [{ ppnum: '12345678901' }, { ppnum: '0012345678901' }, { ppnum: '12345678902' }],
      poll_config: { expires_in_hours: 24, allow_multiple: true },
    })
    const [first] = request['recipients'] as [{ vars: { fields?: Record<string, never> } }]
    expect(fromStruct(first.vars)).toEqual(VARS)
  })

  test('omits optional members that are not given', async () => {
    await world.connect().send(REQUEST)
    expect(world.pcs.calls[0]?.request).toEqual({
      template_id: 'tpl_01HQ',
      recipients: [{ ppnum: '12345678901' }],
    })
  })
})

describe('responses of PCS', () => {
  test.each([
    ['QUEUED', 'queued'],
    ['PROCESSING', 'processing'],
    ['COMPLETED', 'completed'],
    ['FAILED', 'failed'],
    [99, 'unknown'],
    [0, 'unknown'],
  ])('read status %s as %s', async (wire, expected) => {
    world.pcs.answer = () => ({ ok: { status: wire, total: 5, delivered: 1, pending_consent: 2, failed: 2 } })
    expect(await world.connect().status('snd_1')).toEqual({
      id: 'snd_1',
      status: expected,
      total: 5,
      delivered: 1,
      pendingConsent: 2,
      failed: 2,
    })
  })

  test('are read for templates, polls and the app', async () => {
    const client = world.connect()
    world.pcs.answer = ({ method }) => ({ ok: ANSWERS[method] ?? {} })
    expect(await client.templates.create({ name: 'n', components: [{ type: 'divider' }] })).toEqual({
      id: 'tpl_1',
      name: 'n',
      isActive: true,
      version: 2,
      createdAt: new Date('2026-01-02T03:04:05.678Z'),
    })
    expect(world.pcs.calls[0]?.request).toEqual({ name: 'n', components: [{ component_type: 'DIVIDER' }] })
    expect(await client.polls.results('poll_1')).toEqual({
      pollId: 'poll_1',
      question: 'Well?',
      results: [
        { optionText: 'Yes', count: 3, percentage: 75 },
        { optionText: 'No', count: 0, percentage: 0 },
      ],
      totalResponses: 4,
    })
    expect(await client.app.stats()).toEqual({
      id: 'app_1',
      name: 'Acme',
      tier: 'free',
      isActive: true,
      rateLimitPerMin: 60,
      currentMonthUsage: 0,
      allowedIps: ['10.0.0.1'],
      systemPpnum: '',
    })
  })

  test('of a poll are fetched page by page, only as far as they are read', async () => {
    world.pcs.answer = ({ request }) => {
      const page = Number(request['cursor'] ?? 0)
      const responses = [0, 1].map((index) => ({ responder_ppnum: `${page}${index}`, responded_at: 'soon' }))
      return { ok: { responses, has_more: page < 2, next_cursor: String(page + 1) } }
    }
    const client = world.connect()
    const seen: string[] = []
    for await (const response of client.polls.responses('poll_1')) {
      seen.push(response.responderPpnum)
      // "soon" is no time, and an invalid date would be none either.
      expect(response).not.toHaveProperty('respondedAt')
    }
    expect(seen).toEqual(['00', '01', '10', '11', '20', '21'])
    for await (const _ of client.polls.responses('poll_1')) break
    expect(world.pcs.calls).toHaveLength(4)
    world.pcs.answer = () => ({ ok: { has_more: true } })
    await expect(client.polls.responses('poll_1')[Symbol.asyncIterator]().next()).rejects.toMatchObject({
      code: 'messaging_response_invalid',
    })
  })
})

const ANSWERS: Readonly<Record<string, object>> = {
  CreateTemplate: { id: 'tpl_1', name: 'n', is_active: true, version: 2, created_at: '2026-01-02T05:04:05.678+02:00' },
  GetPollResults: {
    poll_id: 'poll_1',
    question: 'Well?',
    results: [{ option_text: 'Yes', count: 3, percentage: 75 }, { option_text: 'No' }],
    total_responses: 4,
  },
  GetAppStats: {
    id: 'app_1',
    name: 'Acme',
    tier: 'free',
    is_active: true,
    rate_limit_per_min: 60,
    allowed_ips: ['10.0.0.1'],
  },
}

describe("the vendor's own descriptor", () => {
  test('may have the newer package, other field numbers, and prefixed enum values', async () => {
    const proto = variant('newer', (text) =>
      text
        .replace('package chat.external', 'package pcs.external.v1')
        .replaceAll(/^service External/gm, 'service ')
        .replace('template_id = 1', 'template_id = 15')
        .replace('int32 total = 2', 'int64 total = 12')
        .replace('  COMPLETED = 3', '  SEND_REQUEST_STATUS_COMPLETED = 3')
        .replace('  DIVIDER = 2', '  TEMPLATE_COMPONENT_TYPE_DIVIDER = 2'),
    )
    const newer = await startWorld({ proto })
    try {
      newer.pcs.answer = () => ({ ok: { status: 'SEND_REQUEST_STATUS_COMPLETED', total: '7' } })
      for (const descriptor of [proto, descriptorSet(proto)]) {
        const client = newer.connect({ descriptor })
        expect(await client.status('snd_1')).toMatchObject({ status: 'completed', total: 7 })
        await client.templates.create({ name: 'n', components: [{ type: 'divider' }] })
      }
      expect(newer.pcs.calls[0]?.call.getPath()).toBe('/pcs.external.v1.MessageService/GetSendRequestStatus')
      expect(newer.pcs.calls[3]?.request).toMatchObject({
        components: [{ component_type: 'TEMPLATE_COMPONENT_TYPE_DIVIDER' }],
      })
    } finally {
      await newer.close()
    }
  })

  test.each([
    ['a file that is not there', () => join(folder, 'none.proto'), 'names a file that is not there'],
    ['another API', () => variant('other', (text) => text.replace('package chat', 'package chats')), 'has no service'],
    ['no field', () => variant('field', (text) => text.replace('template_id', 'tpl')), 'has no field template_id'],
    ['no method', () => variant('method', (text) => text.replace('rpc CreateSendR', 'rpc Create')), 'has no method'],
    ['bytes of something else', () => Buffer.from('hello'), 'cannot be read'],
  ])('with %s is reported in one line', async (_what, descriptor, message) => {
    const error = await world
      .connect({ descriptor: descriptor() })
      .send(REQUEST)
      .catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({ code: 'config_invalid', message: expect.stringContaining(`"descriptor" ${message}`) })
  })
})

test('the grpc-js messages that the retry policy matches are those of the installed version', () => {
  expect(grpc.status.UNAVAILABLE).toBe(14)
  const source = [
    'internal-channel',
    'load-balancer-pick-first',
    'subchannel-call',
    'load-balancing-call',
    'resolver-dns',
  ]
    .map((name) => join(import.meta.dirname, `../../../node_modules/@grpc/grpc-js/build/src/${name}.js`))
    .map((file) => readFileSync(file, 'utf8'))
    .join('\n')
  for (const text of [
    'Channel closed before call started',
    'Channel has been shut down',
    'No connection established. Last error: ',
    'Name resolution failed for target ',
    'Stream refused by server',
    'Waiting for LB pick',
    'Failed to start HTTP/2 stream with error ',
    'Received HTTP status code ',
    'Bandwidth exhausted or memory limit exceeded',
  ]) {
    expect(source).toContain(text)
  }
})
