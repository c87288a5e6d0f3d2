import { WebSocket } from 'ws'
import { isPlainObject } from '../../src/lib/guards.js'

/** How long a browser may take for one command on a busy machine. */
const COMMAND_MS = 90_000

/** A connection to a browser by WebDriver BiDi (https://w3c.github.io/webdriver-bidi): commands, and nothing else. */
export interface Bidi {
  /** @throws what the browser answered instead of a result; that it did not answer in time, or is gone */
  send(method: string, params?: Readonly<Record<string, unknown>>): Promise<Readonly<Record<string, unknown>>>
  close(): void
}

interface Waiting {
  readonly method: string
  readonly resolve: (result: Readonly<Record<string, unknown>>) => void
  readonly reject: (error: Error) => void
  readonly timer: NodeJS.Timeout
}

/** @param url as the browser prints it, with `/session` behind it */
export async function connectBidi(url: string): Promise<Bidi> {
  const socket = new WebSocket(url, { handshakeTimeout: COMMAND_MS })
  const waiting = new Map<number, Waiting>()
  let lastId = 0

  function settle(id: number, finish: (one: Waiting) => void): void {
    const one = waiting.get(id)
    if (!one) return
    waiting.delete(id)
    clearTimeout(one.timer)
    finish(one)
  }

  function fail(id: number, why: string): void {
    settle(id, ({ method, reject }) => reject(new Error(`${method}: ${why}`)))
  }

  socket.on('message', (data) => {
    const message: unknown = JSON.parse(String(data))
    if (!isPlainObject(message) || typeof message['id'] !== 'number') return
    const { id, type, result, error, message: detail } = message
    if (type === 'success' && isPlainObject(result)) settle(id, ({ resolve }) => resolve(result))
    else fail(id, `${error}: ${detail}`)
  })
  socket.on('close', () => {
    for (const id of [...waiting.keys()]) fail(id, 'the browser is gone')
  })
  await new Promise<void>((resolve, reject) => {
    socket.once('open', resolve)
    socket.once('error', reject)
  })
  socket.on('error', () => socket.terminate())

  return {
    send(method, params = {}) {
      lastId += 1
      const id = lastId
      return new Promise((resolve, reject) => {
        const timer = setTimeout(() => fail(id, `no answer within ${COMMAND_MS / 1000} s`), COMMAND_MS)
        waiting.set(id, { method, resolve, reject, timer })
        socket.send(JSON.stringify({ id, method, params }), (error) => error && fail(id, error.message))
      })
    },
    close: () => socket.terminate(),
  }
}
