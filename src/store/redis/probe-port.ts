import { connect as connectPlain } from 'node:net'
import { connect as connectTls } from 'node:tls'
import type { Place } from './client-address.js'

/** What a port turned out to be. */
type PortAnswer =
  /** It answers PING without TLS. `refusal`: with an error, e.g. `ERR max number of clients reached`. */
  | { readonly kind: 'plain'; readonly refusal?: string }
  | { readonly kind: 'tls' }
  | { readonly kind: 'neither' }
  | { readonly kind: 'unreachable'; readonly error: Error }

const ASK_TIMEOUT_MS = 1000
const LONGEST_REFUSAL = 200

/**
 * Probes a port that closes our connections or stays silent: a Redis with TLS just hangs up on a client without it, and
 * one without TLS waits forever for the rest of a TLS greeting that it mistakes for a command. Sends no credentials and
 * changes nothing.
 * @param place where, and whether we speak TLS there
 * @returns what is wrong, in words that `judge` knows; `undefined` if nothing is, or that cannot be found out
 */
export async function probePort(place: Place & { readonly tls: boolean }): Promise<Error | undefined> {
  const answer: PortAnswer = (await speaksTls(place)) ? { kind: 'tls' } : await askPlain(place)
  if (answer.kind === 'unreachable') return answer.error
  if (answer.kind === 'tls') return place.tls ? undefined : new Error('the port speaks TLS only')
  if (answer.kind === 'neither') return undefined
  if (place.tls) return new Error('the port speaks no TLS')
  return answer.refusal === undefined ? undefined : new Error(answer.refusal)
}

function speaksTls({ host, port }: Place): Promise<boolean> {
  return new Promise((resolve) => {
    // The certificate does not matter, since nothing is sent.
    const socket = connectTls({ host, port, rejectUnauthorized: false }, () => settle(true))
    const timer = setTimeout(() => settle(false), ASK_TIMEOUT_MS).unref()
    socket.unref() // whoever closes the store need not wait for an answer
    socket.on('error', () => settle(false))
    socket.on('close', () => settle(false))
    function settle(answer: boolean): void {
      clearTimeout(timer)
      socket.destroy()
      resolve(answer)
    }
  })
}

function askPlain({ host, port }: Place): Promise<PortAnswer> {
  return new Promise((resolve) => {
    let hasConnected = false
    const socket = connectPlain({ host, port }, () => {
      hasConnected = true
      socket.write('PING\r\n')
    })
    const timer = setTimeout(() => settle({ kind: 'neither' }), ASK_TIMEOUT_MS).unref()
    socket.unref() // whoever closes the store need not wait for an answer
    socket.once('data', (data) => settle(toAnswer(data.toString('utf8', 0, LONGEST_REFUSAL))))
    socket.on('error', (error) => settle(hasConnected ? { kind: 'neither' } : { kind: 'unreachable', error }))
    socket.on('close', () => settle({ kind: 'neither' }))
    function settle(answer: PortAnswer): void {
      clearTimeout(timer)
      socket.destroy()
      resolve(answer)
    }
  })
}

function toAnswer(text: string): PortAnswer {
  const [, refusal] = /^-([^\r\n]*)/.exec(text) ?? []
  if (refusal !== undefined) return { kind: 'plain', refusal }
  return text.startsWith('+PONG') ? { kind: 'plain' } : { kind: 'neither' }
}
