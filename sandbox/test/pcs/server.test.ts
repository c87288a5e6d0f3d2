import * as grpc from '@grpc/grpc-js'
import { loadFileDescriptorSetFromBuffer } from '@grpc/proto-loader'
import { describe, expect, test } from '@jest/globals'
import { until } from '../../../test/support/until.js'
import type { PcsAddress } from '../../src/index.js'
import { connect, numbers, pcsSandbox, readUntil, refusalOf, SEND, STATS, STATUS } from './client.js'

/** A length-delimited protobuf field, written by hand. */
function field(number: number, bytes: Uint8Array): Buffer {
  const length: number[] = []
  for (let rest = bytes.length; ; rest >>>= 7) {
    length.push(rest > 127 ? (rest & 127) | 128 : rest)
    if (rest <= 127) break
  }
  return Buffer.concat([Buffer.from([(number << 3) | 2, ...length]), bytes])
}

/** All length-delimited fields of a message, with their numbers; others do not occur where this is used. */
function fieldsOf(message: Buffer): { readonly number: number; readonly bytes: Buffer }[] {
  const found: { number: number; bytes: Buffer }[] = []
  for (let at = 0; at < message.length; ) {
    const number = (message[at++] ?? 0) >> 3
    let length = 0
    for (let shift = 0; ; shift += 7) {
      const byte = message[at++] ?? 0
      length |= (byte & 127) << shift
      if (byte < 128) break
    }
    found.push({ number, bytes: message.subarray(at, at + length) })
    at += length
  }
  return found
}

/** One question to server reflection: field 7 lists services, field 4 asks for the file of a symbol. */
async function reflect(pcs: PcsAddress, prefix: string, version: string, number: 4 | 7, text: string): Promise<Buffer> {
  const client = new grpc.Client(`localhost:${pcs.port}`, grpc.credentials.createInsecure())
  const path = `${prefix}/grpc.reflection.${version}.ServerReflection/ServerReflectionInfo`
  const asIs = (bytes: Buffer): Buffer => bytes
  const call = client.makeBidiStreamRequest(path, asIs, asIs, new grpc.Metadata())
  call.on('error', () => {})
  call.write(field(number, Buffer.from(text)))
  const answer = await new Promise<Buffer>((resolve, reject) => {
    call.once('data', resolve)
    call.once('status', ({ details }: grpc.StatusObject) => reject(new Error(details)))
  })
  call.end()
  client.close()
  return answer
}

describe.each(['', '/ext'])('under "%s"', (prefix) => {
  test.each(['v1', 'v1alpha'])('reflection %s lists the services and hands out their description', async (version) => {
    const { pcs } = await pcsSandbox()
    const list = fieldsOf(await reflect(pcs, prefix, version, 7, '*')).find(({ number }) => number === 6)
    const names = fieldsOf(list?.bytes ?? Buffer.alloc(0)).map(({ bytes }) => fieldsOf(bytes)[0]?.bytes.toString())
    expect(names.sort()).toEqual([
      'chat.external.ExternalAppService',
      'chat.external.ExternalMessageService',
      'chat.external.ExternalTemplateService',
      'grpc.health.v1.Health',
    ])
    const symbol = 'chat.external.ExternalMessageService'
    const files = fieldsOf(await reflect(pcs, prefix, version, 4, symbol)).find(({ number }) => number === 4)
    const set = fieldsOf(files?.bytes ?? Buffer.alloc(0)).map(({ bytes }) => field(1, bytes))
    const proto = loadFileDescriptorSetFromBuffer(Buffer.concat(set))
    const service = proto[symbol]
    expect(Object.keys(service ?? {})).toEqual(['CreateSendRequest', 'GetSendRequestStatus', 'StreamSendRequestEvents'])
    expect(proto).toHaveProperty(['google.protobuf.Struct'])
    const dependencies = fieldsOf(fieldsOf(files?.bytes ?? Buffer.alloc(0))[0]?.bytes ?? Buffer.alloc(0))
    expect(dependencies.filter(({ number }) => number === 3).map(({ bytes }) => bytes.toString())).toEqual([
      'google_protobuf.proto',
    ])
  })

  test('every method answers, and health says so', async () => {
    const { sandbox, pcs } = await pcsSandbox()
    const client = await connect(pcs, undefined, prefix)
    const { id } = await client.call(SEND, { template_id: 'tpl_sandbox_poll', recipients: numbers(1) })
    await client.call(STATUS, { id })
    await client.call(STATS, {})
    await client.call('ExternalAppService/GetPollResults', { poll_id: id })
    await client.call('ExternalAppService/ListPollResponses', { poll_id: id })
    const components = [{ component_type: 'DIVIDER' }]
    await client.call('ExternalTemplateService/CreateTemplate', { name: 'Under', components })
    expect((await readUntil(client.stream({}), (events) => events.length > 0)).events).toHaveLength(1)
    expect(Object.values(sandbox.control.pcs.counters)).toEqual([1, 1, 1, 1, 1, 1, 1])

    const check = (service: string): Promise<number | undefined> =>
      new Promise((resolve, reject) => {
        const asIs = (bytes: Buffer): Buffer => bytes
        const request = service === '' ? Buffer.alloc(0) : field(1, Buffer.from(service))
        const path = `${prefix}/grpc.health.v1.Health/Check`
        client.channel.makeUnaryRequest(path, asIs, asIs, request, (error, answer) => {
          if (error === null) resolve(answer?.[1])
          else reject(error)
        })
      })
    expect([await check(''), await check('chat.external.ExternalAppService')]).toEqual([1, 1])
    sandbox.control.pcs.setHealth('NOT_SERVING')
    expect(await check('')).toBe(2)
    await expect(check('no.such.Service')).rejects.toMatchObject({ code: grpc.status.NOT_FOUND })
  })
})

describe('the server', () => {
  test('another prefix is UNIMPLEMENTED', async () => {
    const { pcs } = await pcsSandbox()
    const wrong = await connect(pcs, undefined, '/other')
    expect((await refusalOf(wrong.call(STATS, {}))).code).toBe(grpc.status.UNIMPLEMENTED)
  })

  test('its addresses belong together', async () => {
    const { sandbox, pcs } = await pcsSandbox()
    expect(pcs).toEqual({
      url: `http://localhost:${pcs.port}`,
      port: expect.any(Number),
      prefixUrl: `http://localhost:${pcs.port}/ext`,
      tokenUrl: `${sandbox.issuer}/oauth/token`,
      clientId: 'sandbox_external_client',
      clientSecret: 'sandbox_external_secret',
    })
  })

  test('restartPcs: away for a while, then back on the same port with all it knew', async () => {
    const { sandbox, pcs } = await pcsSandbox()
    const client = await connect(pcs)
    const { id } = await client.call(SEND, { template_id: 'tpl_sandbox_welcome', recipients: numbers(2) })
    const cut = readUntil(client.stream({ send_request_id: id }))
    while (sandbox.control.pcs.activeStreams.length === 0) await new Promise(setImmediate)
    const restarting = sandbox.restartPcs({ downMs: 100 })
    expect((await cut).status.code).toBe(grpc.status.UNAVAILABLE)
    expect((await refusalOf(client.call(STATS, {}))).code).toBe(grpc.status.UNAVAILABLE)
    await restarting
    expect(sandbox.control.pcs.connections).toBe(0)
    const again = await connect(pcs)
    expect(await again.call(STATUS, { id })).toMatchObject({ total: 2 })
  })

  test('close() in the middle of a restart and of sends leaves nothing behind', async () => {
    const { sandbox, pcs } = await pcsSandbox({ pcsStepMs: 60_000 })
    await (await connect(pcs)).call(SEND, { template_id: 'tpl_sandbox_welcome', recipients: numbers(2) })
    const isDown = (): Promise<boolean> =>
      fetch(pcs.url).then(
        () => false,
        () => true,
      )
    const restarting = sandbox.restartPcs({ downMs: 60_000 })
    await until(isDown, 'the messaging service is down')
    await sandbox.close()
    await restarting
    await expect(fetch(pcs.url)).rejects.toThrow('fetch failed')
  })
})
