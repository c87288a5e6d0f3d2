import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { resolveMessagingConfig } from '../../../src/config/messaging.js'
import type { GivenDescriptor } from '../../../src/messaging/descriptor/sources.js'
import { createMessagingClient } from '../../../src/messaging/messaging.js'
import { pullDescriptor } from '../../../src/messaging/pull/pull.js'
import type { Messaging } from '../../../src/messaging/types/methods.js'
import { CLIENT, type FakeTokenEndpoint, startTokenEndpoint } from '../support/fake-token-endpoint.js'
import {
  permuted,
  type ReflectingPcs,
  renamed,
  startReflectingPcs,
  writeFourFiles,
  writeProto,
} from '../support/reflecting-pcs.js'

const RECIPIENTS = [
  { ppnum: '12345678901', vars: { name: 'Ålex 🐎', count: 3, ok: true, none: null, deep: { list: [1, 'a', false] } } },
]
const VARS = {
  fields: {
    name: { stringValue: 'Ålex 🐎' },
    count: { numberValue: 3 },
    ok: { boolValue: true },
    none: { nullValue: 'NULL_VALUE' },
    deep: {
      structValue: {
        fields: { list: { listValue: { values: [{ numberValue: 1 }, { stringValue: 'a' }, { boolValue: false }] } } },
      },
    },
  },
}

let pas: FakeTokenEndpoint
const closers: (() => unknown)[] = []
beforeAll(async () => {
  pas = await startTokenEndpoint()
})
afterAll(async () => {
  for (const close of closers.reverse()) await close()
  await pas.close()
})

/** A server of a changed definition, what can be pulled from it, and clients of it. */
async function world(change: (text: string) => string, prefix = '') {
  const proto = writeProto(change)
  const pcs = await startReflectingPcs(proto.file, { prefix })
  const config = resolveMessagingConfig({ apiUrl: pcs.url, tokenUrl: pas.url, ...CLIENT }, {})
  const pulled = await pullDescriptor(config, {})
  const connect = (descriptor?: GivenDescriptor): Messaging => {
    const client = createMessagingClient({ config: { ...config, ...(descriptor === undefined ? {} : { descriptor }) } })
    closers.push(() => client.close())
    return client
  }
  closers.push(proto.dispose, () => pcs.close())
  return { pcs, pulled: pulled.bytes, file: proto.file, connect }
}

describe("against a server of the vendor's newest contract, with other numbers", () => {
  let pcs: ReflectingPcs
  let clients: Readonly<Record<string, Messaging>>
  beforeAll(async () => {
    const other = await world(permuted, '/ext')
    pcs = other.pcs
    const four = writeFourFiles(permuted)
    closers.push(four.dispose)
    clients = {
      'a folder of four .proto files': other.connect(four.root),
      'the folder they lie in': other.connect(join(four.root, 'pcs', 'external', 'v1')),
      'a list of four .proto files': other.connect(four.files),
      'a list of one descriptor set': other.connect([other.pulled]),
      'the pulled descriptor set': other.connect(other.pulled),
      'a view of its bytes': other.connect(new Uint8Array(other.pulled)),
      'its .proto': other.connect(other.file),
      'our transcription': other.connect(),
    }
  })
  const client = (which: string): Messaging => {
    const found = clients[which]
    if (found === undefined) throw new Error(which)
    return found
  }

  test('our transcription does not fit', async () => {
    await expect(client('our transcription').status('snd_1')).rejects.toMatchObject({
      code: 'messaging_misconfigured',
      message: expect.stringContaining('or this server has another contract: fetch it with "npx express-ppoppo proto'),
    })
  })

  describe.each([
    'the pulled descriptor set',
    'a view of its bytes',
    'its .proto',
    'a folder of four .proto files',
    'the folder they lie in',
    'a list of four .proto files',
    'a list of one descriptor set',
  ])('%s', (which) => {
    test('sends with vars and optional fields, and reads an enum status', async () => {
      pcs.answers = { CreateSendRequest: { id: 'snd_9', status: 'PROCESSING', total_recipients: 1 } }
      const receipt = await client(which).send({
        templateId: 'tpl_9',
        recipients: RECIPIENTS,
        poll: { expiresInHours: 24, allowMultiple: true },
      })
      expect(receipt).toEqual({ id: 'snd_9', status: 'processing', totalRecipients: 1 })
      const { path, request } = pcs.seen.at(-1) ?? {}
      expect(path).toBe('/ext/pcs.external.v1.MessageService/CreateSendRequest')
      expect(request).toEqual({
        template_id: 'tpl_9',
        recipients: [{ ppnum: '12345678901', vars: VARS }],
        poll_config: { expires_in_hours: 24, allow_multiple: true },
      })
      await client(which).send({ templateId: 'tpl_9', recipients: [{ ppnum: '12345678901' }], poll: {} })
      expect(pcs.seen.at(-1)?.request['poll_config']).toEqual({})
    })

    test('reads a status, templates, polls and the app', async () => {
      pcs.answers = {
        GetSendRequestStatus: { status: 'COMPLETED', total: 5, delivered: 3, pending_consent: 0, failed: 2 },
        CreateTemplate: { id: 'tpl_1', name: 'n', is_active: true, version: 2, created_at: '2026-01-02T03:04:05Z' },
        GetPollResults: { poll_id: 'p', question: 'q', results: [{ option_text: 'a', count: 2, percentage: 100 }] },
        GetAppStats: { id: 'app_1', name: 'n', monthly_message_limit: 0, allowed_ips: ['10.0.0.1'] },
      }
      expect(await client(which).status('snd_9')).toEqual({
        id: 'snd_9',
        status: 'completed',
        total: 5,
        delivered: 3,
        pendingConsent: 0,
        failed: 2,
      })
      await client(which).templates.create({
        name: 'n',
        components: [
          { type: 'text', content: 'Hello' },
          { type: 'poll', question: 'Well?', options: ['a', 'b'] },
        ],
      })
      expect(pcs.seen.at(-1)?.request).toEqual({
        name: 'n',
        components: [
          { component_type: 'TEXT', content: 'Hello' },
          { component_type: 'POLL', question: 'Well?', options: ['a', 'b'] },
        ],
      })
      expect(await client(which).polls.results('p')).toMatchObject({
        results: [{ optionText: 'a', count: 2, percentage: 100 }],
        totalResponses: 0,
      })
      // Present and zero, where absent would mean no limit.
      expect(await client(which).app.stats()).toMatchObject({ monthlyMessageLimit: 0, allowedIps: ['10.0.0.1'] })
    })

    test('reads an unknown enum value as unknown', async () => {
      pcs.answers = { GetSendRequestStatus: { status: 99 } }
      expect(await client(which).status('snd_9')).toMatchObject({ status: 'unknown' })
    })
  })
})

describe('a contract is its package and the names of its services', () => {
  const EXTRA = 'service ChannelService { rpc CreateChannel(GetAppStatsReq) returns (GetAppStatsResp); }\n'

  test('ignores unknown services', async () => {
    const { pcs, pulled, connect } = await world((text) => `${renamed(text)}\n${EXTRA}`)
    expect(await connect(pulled).status('snd_1')).toMatchObject({ status: 'unknown' })
    expect(pcs.seen.at(-1)?.path).toBe('/pcs.external.v1.MessageService/GetSendRequestStatus')
  })

  test('uses the documented contract of a descriptor that has both', async () => {
    const [old, other] = [writeProto(String), writeProto(renamed)]
    closers.push(old.dispose, other.dispose)
    const { pcs, connect } = await world(String)
    await connect([old.file, other.file]).status('snd_1')
    expect(pcs.seen.at(-1)?.path).toBe('/chat.external.ExternalMessageService/GetSendRequestStatus')
  })

  test.each<[string, (text: string) => string, string]>([
    [
      'the new package with the old services',
      (text) => text.replace('package chat.external', 'package pcs.external.v1'),
      'only pcs.external.v1.ExternalMessageService',
    ],
    [
      'the old package with the new services',
      (text) => renamed(text).replace('package pcs.external.v1', 'package chat.external'),
      'only chat.external.MessageService',
    ],
    ['neither', (text) => text.replace('package chat.external', 'package acme.chat'), 'only acme.chat.'],
  ])('rejects %s, naming the services that are there', async (_what, change, named) => {
    const proto = writeProto(change)
    closers.push(proto.dispose)
    const sending = client(proto.file).status('snd_1')
    await expect(sending).rejects.toMatchObject({ code: 'config_invalid' })
    await expect(sending).rejects.toThrow(
      'has no service chat.external.ExternalMessageService or pcs.external.v1.MessageService',
    )
    await expect(sending).rejects.toThrow(named)
  })

  test('a descriptor with only some services supports their methods', async () => {
    const four = writeFourFiles()
    closers.push(four.dispose)
    await expect(client(four.files.slice(1)).status('snd_1')).rejects.toThrow(
      'has no method pcs.external.v1.MessageService/GetSendRequestStatus',
    )
  })

  test.each<[string, (root: string) => GivenDescriptor, string]>([
    ['a folder without any', (root) => join(root, 'empty'), 'names a folder without .proto files'],
    ['a file that is not there', (root) => [join(root, 'none.proto')], 'names a file that is not there'],
    ['both kinds', (root) => [join(root, 'a.proto'), Buffer.from('b')], 'mixes .proto files and descriptor sets'],
    ['an import that is not there', (root) => join(root, 'a.proto'), 'cannot be read as .proto files'],
  ])('%s is reported', async (_what, give, problem) => {
    const root = mkdtempSync(join(tmpdir(), 'ppoppo-folder-'))
    closers.push(() => rmSync(root, { recursive: true, force: true }))
    mkdirSync(join(root, 'empty'))
    writeFileSync(join(root, 'a.proto'), 'syntax = "proto3";\nimport "nowhere.proto";\n')
    const error = await client(give(root))
      .status('snd_1')
      .catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({ code: 'config_invalid', message: expect.stringContaining(problem) })
    expect(String(error)).not.toContain(root)
  })

  /** One of nobody: no call of these tests gets as far. */
  function client(descriptor: GivenDescriptor): Messaging {
    const config = resolveMessagingConfig(
      { apiUrl: 'http://localhost:1', tokenUrl: pas.url, ...CLIENT, descriptor },
      {},
    )
    const made = createMessagingClient({ config })
    closers.push(() => made.close())
    return made
  }
})

test('an enum with another name, or with longer value names, is not misread', async () => {
  const { pcs, pulled, connect } = await world((text) =>
    text
      .replaceAll('TemplateComponentType', 'ComponentKind')
      .replace('  FAILED = 4;', '  SEND_REQUEST_STATUS_FAILED = 4; PARTIALLY_FAILED = 5;'),
  )
  const client = connect(pulled)
  await client.templates.create({ name: 'n', components: [{ type: 'divider' }] })
  expect(pcs.seen.at(-1)?.request).toEqual({ name: 'n', components: [{ component_type: 'DIVIDER' }] })
  pcs.answers = { GetSendRequestStatus: { status: 'PARTIALLY_FAILED' } }
  expect(await client.status('snd_1')).toMatchObject({ status: 'unknown' })
  pcs.answers = { GetSendRequestStatus: { status: 'SEND_REQUEST_STATUS_FAILED' } }
  expect(await client.status('snd_1')).toMatchObject({ status: 'failed' })
})

describe('a descriptor that does not fit fails at the first call, and nothing is sent', () => {
  test.each([
    [
      'no method',
      'rpc CreateSendRequest(',
      'rpc CreateSend(',
      'has no method chat.external.ExternalMessageService/CreateSendRequest',
    ],
    [
      'no field',
      'string template_id = 1;',
      'string tpl = 1;',
      'has no field template_id in the message CreateSendRequestReq',
    ],
    [
      'no field deeper',
      'string ppnum = 1;\n  // Values',
      'string phone = 1;\n  // Values',
      'has no field ppnum in the message chat.external.RecipientInput',
    ],
    [
      'no vars',
      'google.protobuf.Struct vars = 2',
      'google.protobuf.Struct values = 2',
      'has no field vars in the message chat.external.RecipientInput',
    ],
    [
      'a number for a text',
      'string template_id = 1;',
      'int64 template_id = 1;',
      'has chat.external.CreateSendRequestReq.template_id as int64',
    ],
    [
      'one recipient',
      'repeated RecipientInput',
      'RecipientInput',
      'has chat.external.CreateSendRequestReq.recipients as one value',
    ],
    [
      'a stream',
      'returns (CreateSendRequestResp)',
      'returns (stream CreateSendRequestResp)',
      'has chat.external.ExternalMessageService/CreateSendRequest with streams',
    ],
  ])('%s', async (_what, before, after, problem) => {
    const { pcs, pulled, connect } = await world((text) => text.replace(before, after))
    const sending = connect(pulled).send({ templateId: 'tpl_1', recipients: RECIPIENTS })
    await expect(sending).rejects.toMatchObject({
      code: 'config_invalid',
      message: expect.stringMatching(/^"descriptor" .*proto pull <url>/),
    })
    await expect(sending).rejects.toThrow(problem)
    expect(pcs.seen).toEqual([])
    // What it does have works.
    expect(await connect(pulled).status('snd_1')).toMatchObject({ status: 'unknown' })
  })

  test.each([
    ['a text', Buffer.from('hello')],
    ['noise', Buffer.from(Array.from({ length: 500 }, (_, index) => (index * 131 + 7) % 256))],
    ['a source file as bytes', readFileSync(new URL(import.meta.url))],
    ['one zero', Buffer.from([0])],
  ])('%s', async (_what, bytes) => {
    const { connect } = await world(String)
    const error = await connect(bytes)
      .status('snd_1')
      .catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({
      code: 'config_invalid',
      message: expect.stringMatching(/^"descriptor" (cannot be read|has no service)/),
    })
  })
})
