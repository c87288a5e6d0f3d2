import { once } from 'node:events'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals'
import { connect, startTokenEndpoint, type TokenEndpoint } from './hostile-client.js'

let pas: TokenEndpoint
let silent: Server
/** Connections the silent server has now, and how many it ever had. */
const open = new Set<Socket>()
let accepted = 0

beforeAll(async () => {
  pas = await startTokenEndpoint()
  silent = createServer((socket) => {
    accepted++
    open.add(socket)
    socket.on('error', () => {})
    socket.on('close', () => open.delete(socket))
    socket.resume() // takes the handshake, and says nothing
  }).listen(0, '127.0.0.1')
  await once(silent, 'listening')
})
beforeEach(() => {
  accepted = 0
})
afterAll(async () => {
  for (const socket of open) socket.destroy()
  silent.close()
  await pas.close()
})

const url = (scheme: string): string => `${scheme}://127.0.0.1:${(silent.address() as AddressInfo).port}`

test.each(['http', 'https'])('close() ends a connection over %s that was never established', async (scheme) => {
  const messaging = connect(url(scheme), pas.url)
  const calling = messaging.status('snd_1').catch((error: unknown) => error)
  await once(silent, 'connection')
  const [socket] = open as Set<Socket>
  const closed = once(socket as Socket, 'close')
  await messaging.close()
  await closed
  expect(await calling).toMatchObject({ code: 'closed' })
})

test('a replaced channel leaves no connection open', async () => {
  const messaging = connect(url('https'), pas.url, { deadlineMs: 120_000 }, { connectWatchdogMs: 300 })
  const calling = messaging.status('snd_1').catch((error: unknown) => error)
  while (accepted < 4) await once(silent, 'connection')
  expect(open.size).toBeLessThanOrEqual(2)
  await messaging.close()
  await calling
})
