import { connect as connectTcp, createServer, type Socket } from 'node:net'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { createMessaging } from '../../../src/messaging/index.js'
import { sendJson } from '../support/fake-token-endpoint.js'
import { type MessagingWorld, REQUEST, startWorld } from '../support/world.js'

let world: MessagingWorld
beforeEach(async () => {
  world = await startWorld({ prefix: '/ext' })
  world.pcs.answer = ({ method }) => (method === 'GetAppStats' ? { ok: { id: 'app_1', is_active: true } } : { ok: {} })
})
afterEach(() => world.close())

describe('health', () => {
  test('is ok after a token, a connection and a read', async () => {
    expect(await world.connect().health()).toEqual({ ok: true, channel: 'ready', hasToken: true })
    expect(world.pcs.calls.map(({ method }) => method)).toEqual(['GetAppStats'])
  })

  test('reports what is wrong', async () => {
    world.pas.answer = (response) => sendJson(response, 401, { error: 'invalid_client' })
    expect(await world.connect().health()).toMatchObject({
      ok: false,
      hasToken: false,
      error: { code: 'credentials_rejected' },
    })
    world.pas.answer = undefined
    const wrongPath = world.connect({ apiUrl: world.pcs.url.replace('/ext', '') })
    expect(await wrongPath.health()).toMatchObject({
      ok: false,
      hasToken: true,
      error: { code: 'messaging_misconfigured' },
    })
    world.pcs.answer = () => ({ ok: { id: 'app_1' } })
    expect(await world.connect().health()).toMatchObject({ ok: false, error: { code: 'permission_denied' } })
    const nobody = world.connect({ apiUrl: 'http://127.0.0.1:1' })
    expect(await nobody.health({ deadlineMs: 5_000 })).toMatchObject({ ok: false, hasToken: true })
  })

  test('of a client without credentials names the missing variables, as every call does', async () => {
    const unset = createMessaging({ environment: 'local' })
    const expected = {
      code: 'messaging_not_configured',
      message: expect.stringContaining('set "clientId" (PAS_PCS_CLIENT_ID) and "clientSecret" (PAS_PCS_CLIENT_SECRET)'),
    }
    expect(await unset.health()).toMatchObject({ ok: false, channel: 'idle', hasToken: false, error: expected })
    const calls = [
      unset.send(REQUEST),
      unset.status('x'),
      unset.waitFor('x'),
      unset.app.stats(),
      unset.polls.results('x'),
      unset.polls.responses('x')[Symbol.asyncIterator]().next(),
      unset.templates.create({ name: 'n', components: [{ type: 'divider' }] }),
    ]
    for (const call of calls) await expect(call).rejects.toMatchObject(expected)
  })
})

/** grpc-js leaves a connection that never came to be open, and so would the server's side of it. */
function endSockets(sockets: Iterable<Socket>): void {
  for (const socket of sockets) socket.destroy()
}

test('a channel whose peer accepts and stays silent is replaced', async () => {
  // At first silent, then what leads on to PCS.
  let isSilent = true
  const accepted = new Set<Socket>()
  const proxy = createServer((socket) => {
    accepted.add(socket)
    socket.on('error', () => {})
    if (isSilent) return void socket.resume()
    const onward = connectTcp(Number(new URL(world.pcs.url).port), '127.0.0.1')
    onward.on('error', () => {})
    socket.on('close', () => onward.destroy())
    socket.pipe(onward).pipe(socket)
  })
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve))
  const address = proxy.address()
  const apiUrl = `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}/ext`
  try {
    const client = world.connect({ apiUrl }, { connectWatchdogMs: 3_000 })
    const call = client.send(REQUEST)
    while (accepted.size === 0) await new Promise((resolve) => setImmediate(resolve))
    isSilent = false
    await call
    expect(accepted.size).toBe(2)
    await client.close()
  } finally {
    endSockets(accepted)
    proxy.close()
  }
})

test('a send that never left the process does not have an unknown outcome', async () => {
  const accepted = new Set<Socket>()
  const proxy = createServer((socket) => void accepted.add(socket.on('error', () => {})))
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve))
  const address = proxy.address()
  const apiUrl = `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}/ext`
  try {
    const client = world.connect({ apiUrl })
    await expect(client.send(REQUEST, { deadlineMs: 500 })).rejects.toMatchObject({ code: 'deadline_exceeded' })
    await client.close()
  } finally {
    endSockets(accepted)
    proxy.close()
  }
})
