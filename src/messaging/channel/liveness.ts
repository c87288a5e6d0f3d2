import type { Client } from '@grpc/grpc-js'
import type { MessagingRuntime } from '../lib/runtime.js'
import { grpc } from './grpc.js'

/** After so long without a word a connection may be gone without anybody having said so. */
const QUIET_MS = 10_000
/** How long the other end may take to show that it is there. */
const PROOF_MS = 3_000
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
  #asking: (Question & { readonly client: Client }) | undefined

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
   * @param prefix of all paths, such as `/ext`
   * @param onSilent nothing came back in time; called whether or not anybody still waits for the answer
   * @returns when something came back, or the time is up
   */
  ask(client: Client, prefix: string, token: string, onSilent: () => void): Promise<void> {
    if (this.#asking?.client !== client) {
      const { answered, stop } = askHealth(client, `${prefix}${HEALTH}`, token, this.#runtime)
      const asking = { client, stop, answered }
      this.#asking = asking
      asking.answered = answered.then((isAnswered) => {
        if (this.#asking === asking) this.#asking = undefined
        if (isAnswered) this.heard()
        else onSilent()
        return isAnswered
      })
    }
    return this.#asking.answered.then(() => {})
  }

  /** Ends a question that is under way. */
  stop(): void {
    this.#asking?.stop()
  }
}

interface Question {
  answered: Promise<boolean>
  /** Counts as answered. */
  readonly stop: () => void
}

function askHealth(client: Client, path: string, token: string, runtime: MessagingRuntime): Question {
  let stop = (): void => {}
  const answered = new Promise<boolean>((resolve) => {
    const metadata = new (grpc().Metadata)()
    metadata.set('authorization', `Bearer ${token}`)
    try {
      // An empty message asks for the server as a whole.
      const call = client.makeUnaryRequest(path, asItIs, asItIs, Buffer.alloc(0), metadata, () => {
        cancelTimer()
        resolve(true)
      })
      const end = (isAnswered: boolean): void => {
        resolve(isAnswered)
        call.cancel()
      }
      // Timers come before what has arrived meanwhile in a process that was blocked.
      const cancelTimer = runtime.after(PROOF_MS, () => void untilLoopHasRead().then(() => end(false)))
      stop = () => end(true)
    } catch {
      // The channel was closed meanwhile; the call says so.
      resolve(true)
    }
  })
  return { answered, stop: () => stop() }
}
