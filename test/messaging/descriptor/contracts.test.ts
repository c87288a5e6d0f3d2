import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { type Sandbox, startSandbox } from 'ppoppo-sandbox'
import { run } from '../../../src/cli/commands.js'
import { createMessaging, type Messaging } from '../../../src/messaging/index.js'
import { startReflectingPcs, writeProto } from '../support/reflecting-pcs.js'

let folder: string
const closers: (() => unknown)[] = []
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'ppoppo-contract-'))
})
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close()
  rmSync(folder, { recursive: true, force: true })
})

async function start(pcsContract: 'chat.external' | 'pcs.external.v1' | 'both'): Promise<Sandbox> {
  const sandbox = await startSandbox({ pasPort: 0, pcsPort: 0, pcsStepMs: 5, pcsContract })
  closers.push(() => sandbox.close())
  return sandbox
}

async function pull(url: string) {
  const told: string[] = []
  const tell = (line: string): void => void told.push(line)
  const out = join(folder, 'ppoppo.desc')
  const io = { print: tell, printError: tell, env: {}, now: () => new Date() }
  const code = await run(['proto', 'pull', url, '--out', out], io)
  return { code, told: told.join('\n'), out }
}

function connect({ pcs }: Sandbox, descriptor?: string): Messaging {
  if (!pcs) throw new Error('no messaging service')
  const { prefixUrl: apiUrl, tokenUrl, clientId, clientSecret } = pcs
  const options = descriptor === undefined ? {} : { descriptor }
  const client = createMessaging({ apiUrl, tokenUrl, clientId, clientSecret, ...options })
  closers.push(() => client.close())
  return client
}

/** Everything once, from a template to the event that says that all is delivered. */
async function useAll(client: Messaging): Promise<void> {
  const { id: templateId } = await client.templates.create({
    name: 'contract',
    components: [{ type: 'text', content: 'Hello {{name}}' }],
  })
  const { id } = await client.send({ templateId, recipients: [{ ppnum: '12312345678', vars: { name: 'Alex' } }] })
  for await (const event of client.events({ sendRequestId: id })) if (event.type === 'request_completed') break
  expect(await client.status(id)).toMatchObject({ total: 1, delivered: 1 })
  expect(await client.app.stats()).toMatchObject({ isActive: true })
}

describe("a server of the vendor's newest contract", () => {
  test('is reported as having another contract if the built-in definition is used', async () => {
    const client = connect(await start('pcs.external.v1'))
    await expect(client.status('snd_1')).rejects.toMatchObject({
      code: 'messaging_misconfigured',
      message: expect.stringContaining('another contract: fetch it with "npx express-ppoppo proto pull"'),
    })
  })

  test('works completely with the descriptor that "proto pull" fetches', async () => {
    const sandbox = await start('pcs.external.v1')
    const { code, told, out } = await pull(sandbox.pcs?.prefixUrl ?? '')
    expect(told).toContain('! pcs.external.v1, ours chat.external')
    expect(told).toContain("configure the client with the server's own: descriptor:")
    expect({ code, isUsable: !told.includes('these calls do not work') }).toEqual({ code: 1, isUsable: true })
    await useAll(connect(sandbox, out))
  })
})

describe('a server that has both contracts', () => {
  test('works with the built-in definition', async () => {
    await useAll(connect(await start('both')))
  })

  test('works with its pulled descriptor, by the documented names', async () => {
    const sandbox = await start('both')
    const { code, told, out } = await pull(sandbox.pcs?.prefixUrl ?? '')
    expect({ code, told }).toEqual({ code: 0, told: expect.stringContaining('the client works as it is') })
    await useAll(connect(sandbox, out))
  })
})

test('a server with the package of one contract and the services of the other is reported with the names it has', async () => {
  const proto = writeProto((text) => text.replace('package chat.external', 'package pcs.external.v1'))
  const pcs = await startReflectingPcs(proto.file)
  closers.push(proto.dispose, () => pcs.close())
  expect(await pull(pcs.url)).toMatchObject({
    code: 3,
    told: expect.stringMatching(
      /no service chat\.external\.ExternalMessageService or pcs\.external\.v1\.MessageService is there, only pcs\.external\.v1\.ExternalMessageService/,
    ),
  })
})
