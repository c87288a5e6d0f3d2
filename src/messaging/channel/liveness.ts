import type { Client } from '@grpc/grpc-js'
import type { MessagingRuntime } from '../lib/runtime.js'
import { grpc } from './grpc.js'

/** After so long without a word a connection may be gone without anybody having said so. */
const QUIET_MS = 10_000
const HEALTH = '/grpc.health.v1.Health/Check'

const asItIs = (bytes: Buffer): Buffer => bytes

/** Two rounds of the event loop: what has reached this process, such as a reset, is read in one and told in the next. */
export async function untilLoopHasRead(): Promise<void> {
  for (let round = 0; round < 2; round++) await new Promise((resolve) => setImmediate(resolve))
}

/** When the other end of a connection was last heard of. */
export class Liveness {
  readonly #runtime: MessagingRuntime
  #heardAt: number
  #heardOn: number
  #asking: Promise<boolean> | undefined

  constructor(runtime: MessagingRuntime) {
    this.#runtime = runtime
    this.#heardAt = runtime.monotonic()
    this.#heardOn = runtime.now()
  }

  /** Something came over the connection. */
  heard(): void {
    this.#heardAt = this.#runtime.monotonic()
    this.#heardOn = this.#runtime.now()
  }

  /** By either clock: the monotonic one stands still while a machine sleeps. */
  get isQuiet(): boolean {
    const { monotonic, now } = this.#runtime
    return Math.max(monotonic() - this.#heardAt, now() - this.#heardOn) > QUIET_MS
  }

  /**
   * Asks for the server's health, once for all who want to know at the same time. Whatever comes back proves the
   * connection, be it that there is no such service, or a gateway's page.
   * @param prefix of all paths, such as `/ext` @param forMs how long an answer may take
   * @returns whether anything came back; `false` says that the connection is of no use
   */
  ask(client: Client, prefix: string, token: string, forMs: number): Promise<boolean> {
    this.#asking ??= askHealth(client, `${prefix}${HEALTH}`, token, forMs, this.#runtime).then((isAnswered) => {
      this.#asking = undefined
      this.heard()
      return isAnswered
    })
    return this.#asking
  }
}

function askHealth(
  client: Client,
  path: string,
  token: string,
  forMs: number,
  runtime: MessagingRuntime,
): Promise<boolean> {
  return new Promise((resolve) => {
    const metadata = new (grpc().Metadata)()
    metadata.set('authorization', `Bearer ${token}`)
    try {
      // An empty message asks for the server as a whole.
      const call = client.makeUnaryRequest(path, asItIs, asItIs, Buffer.alloc(0), metadata, () => {
        cancelTimer()
        resolve(true)
      })
      const cancelTimer = runtime.after(forMs, () => {
        resolve(false)
        call.cancel()
      })
    } catch {
      // The channel was closed meanwhile; the call says so.
      resolve(true)
    }
  })
}
