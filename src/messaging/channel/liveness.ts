import type { Client } from '@grpc/grpc-js'
import { Disposers } from '../../lib/disposers.js'
import type { MessagingRuntime } from '../lib/runtime.js'
import { grpc } from './grpc.js'

/** After this much silence a connection may be gone without either side having been notified. */
const QUIET_MS = 10_000
/** How long the server may take to prove that it is there. */
const PROOF_MS = 3_000
const HEALTH = '/grpc.health.v1.Health/Check'

const asItIs = (bytes: Buffer): Buffer => bytes

/** Two turns of the event loop: what has reached this process, such as a reset, is read in one and reported in the next. */
export function untilLoopHasRead(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(setImmediate, resolve)
  })
}

/** Tracks when something last came over a connection. */
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

  /** Notes that something came over the connection. */
  heard(): void {
    this.#heardAt = this.#runtime.monotonic()
    this.#heardOn = this.#runtime.now()
  }

  /** Whether the connection has been silent, by either clock: the monotonic one stands still while a machine sleeps. */
  get isQuiet(): boolean {
    const { monotonic, now } = this.#runtime
    return Math.max(monotonic() - this.#heardAt, now() - this.#heardOn) > QUIET_MS
  }

  /**
   * Calls the server's health service, once for all concurrent callers. Any answer proves the connection, even an
   * UNIMPLEMENTED or a gateway's page.
   * @param prefix of all paths, such as `/ext`
   * @param onSilent called if nothing came back in time, even if no caller waits for the answer any more
   * @returns resolves when something came back, or the time is up
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

  /** Ends a health call in progress. */
  stop(): void {
    this.#asking?.stop()
  }
}

interface Question {
  answered: Promise<boolean>
  /** Ends the call as if it had been answered. */
  readonly stop: () => void
}

function askHealth(client: Client, path: string, token: string, runtime: MessagingRuntime): Question {
  const stopping = new Disposers()
  const answered = new Promise<boolean>((resolve) => {
    const timer = new Disposers()
    const metadata = new (grpc().Metadata)()
    metadata.set('authorization', `Bearer ${token}`)
    try {
      // An empty message asks for the server as a whole.
      const call = client.makeUnaryRequest(path, asItIs, asItIs, Buffer.alloc(0), metadata, () => {
        timer.dispose()
        resolve(true)
      })
      const end = (isAnswered: boolean): void => {
        resolve(isAnswered)
        call.cancel()
      }
      // Timers come before what has arrived meanwhile in a process that was blocked.
      timer.add(runtime.after(PROOF_MS, () => void untilLoopHasRead().then(() => end(false))))
      stopping.add(() => end(true))
    } catch {
      // The channel was closed meanwhile; the app's call reports that.
      resolve(true)
    }
  })
  return { answered, stop: () => stopping.dispose() }
}
