import { randomUUID } from 'node:crypto'
import { isPpoppoError, PpoppoError } from '../../errors.js'
import { Disposers } from '../../lib/disposers.js'
import { notify } from '../../lib/notify.js'
import { onAbort, untilAborted } from '../../lib/on-abort.js'
import type { Acquired, ConsumerStore } from '../../store/consumer-store.js'
import { pause } from '../lib/pause.js'
import type { MessagingRuntime } from '../lib/runtime.js'
import type { Consumer, FanOutOptions } from '../types/consumer.js'
import type { MessagingEvent } from '../types/events.js'
import { type OpenStream, runActiveTerm } from './active-term.js'
import type { Sink } from './handling/sink.js'
import { type OwnTerm, type Start, toStart } from './resume.js'
import { Lease } from './term/lease.js'
import type { ConsumeSettings } from './term/settings.js'
import { StoreFaults } from './term/store-faults.js'
import { finishQueue, runWorker, type WorkerParts } from './worker.js'

/** How often a consumer on standby checks whether the active one is gone. */
const MAX_STANDBY_MS = 1_000
const MIN_STANDBY_MS = 20
/** How long a consumer that could save nothing waits before it tries again. */
const MAX_REFUSED_MS = 5_000
/** How long a worker has, after the time of its handler, to report that an event is finished. */
const FINISHING_MS = 30_000

/** What {@link RunningConsumer} is made of. */
export interface RunningConsumerParts {
  readonly settings: ConsumeSettings
  readonly openStream: OpenStream
  readonly store: ConsumerStore
  readonly runtime: MessagingRuntime
  /** The server's time in milliseconds since the epoch, or a little before it. @default this machine's */
  readonly serverNow?: () => number
  /** Warns an operator. */
  readonly warn?: (text: string) => void
  /** Called when the store has answered for the first time. */
  readonly onStoreAnswers?: () => void
}

/** A consumer from `consume()` to its end: on standby, active, on standby again, ... */
export class RunningConsumer implements Consumer {
  readonly name: string
  readonly closed: Promise<void>
  readonly #parts: RunningConsumerParts
  /** Identifies this run among all others. */
  readonly #holder: string = randomUUID()
  /** Aborted by `stop()`: nothing new is begun. */
  readonly #stopping = new AbortController()
  /** Aborted `drainMs` later: handlers must end. */
  readonly #over = new AbortController()
  readonly #faults: StoreFaults
  #lease: Lease | undefined
  #sink: Sink | undefined
  /** Events that the worker of this process is handling. */
  readonly #atHand = new Set<MessagingEvent>()
  #lastEventAt: number | undefined
  #own: OwnTerm | undefined
  /** The app was notified that the store does not answer, and it has not answered since. */
  #isStoreDown = false
  #hasAnswered = false

  constructor(parts: RunningConsumerParts) {
    const { settings, runtime, warn = () => {} } = parts
    const { name, leaseMs, onStoreFault } = settings
    this.#parts = parts
    this.name = name
    this.#faults = new StoreFaults({ name, runtime, patienceMs: leaseMs, warn, ...(onStoreFault && { onStoreFault }) })
    this.closed = this.#run()
  }

  get isActive(): boolean {
    return this.#lease?.isValid() ?? false
  }

  get storage(): 'redis' | 'memory' {
    return this.#parts.store.kind
  }

  get lag(): number {
    const [atHand] = this.#atHand
    const times = [this.#sink?.oldestOpen, atHand].flatMap((event) => event?.occurredAt.getTime() || [])
    return times.length === 0 ? 0 : Math.max(0, this.#parts.runtime.now() - Math.min(...times))
  }

  get lastEventAt(): Date | undefined {
    return this.#lastEventAt === undefined ? undefined : new Date(this.#lastEventAt)
  }

  async stop(): Promise<void> {
    this.#stopping.abort()
    await this.closed.catch(() => {}) // its failure is reported by `closed`
  }

  async #run(): Promise<void> {
    // Not within the constructor: `consume()` returns before anything happens.
    await Promise.resolve()
    const { settings, runtime } = this.#parts
    const disposers = new Disposers()
    disposers.add(
      onAbort(this.#stopping.signal, () =>
        disposers.add(runtime.after(settings.drainMs, () => this.#over.abort(stopped()))),
      ),
    )
    const ends = await Promise.allSettled([this.#work(), this.#standBy()].map((part) => this.#untilEither(part)))
    disposers.dispose()
    for (const end of ends) if (end.status === 'rejected') throw end.reason
  }

  /** When one part ends, for whatever reason, the other one must end too. */
  #untilEither(part: Promise<void>): Promise<void> {
    return part.finally(() => this.#stopping.abort())
  }

  /** With `fanOut`: handles events from the queue. */
  async #work(): Promise<void> {
    const { fanOut } = this.#parts.settings
    if (fanOut === undefined) return untilAborted(this.#stopping.signal)
    await runWorker(this.#workerParts(fanOut))
  }

  #workerParts(fanOut: Required<FanOutOptions>): WorkerParts {
    const { settings, store, runtime } = this.#parts
    const [id, over, atHand, faults] = [this.#holder, this.#over.signal, this.#atHand, this.#faults]
    const closing = this.#stopping.signal
    return { store, settings: { ...settings, fanOut }, runtime, id, closing, over, atHand, faults }
  }

  /** Asks for the lease again and again, and is the active consumer whenever it gets it. */
  async #standBy(): Promise<void> {
    while (!this.#stopping.signal.aborted) {
      try {
        await this.#tryToLead()
      } catch (error) {
        if (!isPpoppoError(error, 'store_unavailable')) throw error
        this.#faults.failed('lease', error)
        if (!this.#isStoreDown) notify(this.#parts.settings.onStandby, { reason: 'store_unavailable', error })
        this.#isStoreDown = true
        await this.#pause(MAX_STANDBY_MS / 2)
      }
    }
  }

  /** Asks for the lease once; then waits a moment, or leads until that is over. @throws what ends the consumer */
  async #tryToLead(): Promise<void> {
    const { settings, store, runtime } = this.#parts
    const { name, leaseMs: ttlMs } = settings
    const [holder, faults, askedAt] = [this.#holder, this.#faults, runtime.monotonic()]
    const answer = await store.acquire(name, holder, ttlMs)
    faults.worked('lease')
    this.#isStoreDown = false
    this.#noteAnswer()
    if ('heldForMs' in answer) {
      const longestMs = Math.min(answer.heldForMs + 10, ttlMs / 3, MAX_STANDBY_MS)
      return this.#pause(Math.max(longestMs, MIN_STANDBY_MS))
    }
    await this.#lead(new Lease({ store, runtime, name, holder, ttlMs, fence: answer.fence, askedAt, faults }), answer)
    // Nothing could be saved: wait before trying that again.
    if (faults.isSavingFailing) await this.#pause(Math.min(ttlMs, MAX_REFUSED_MS))
  }

  async #lead(lease: Lease, acquired: Acquired): Promise<void> {
    const { settings, runtime, store, openStream, serverNow = runtime.now } = this.#parts
    this.#lease = lease
    const unsubscribe = onAbort(lease.signal, () => lease.loss && notify(settings.onStandby, lease.loss))
    try {
      const start = await this.#start(lease, acquired, serverNow)
      const { cursor } = start.checkpoint
      notify(settings.onActive, { fence: lease.fence, ...(cursor && { after: cursor }) })
      if (settings.fanOut === undefined) await this.#finishQueue(lease)
      await runActiveTerm({
        settings,
        openStream,
        store,
        runtime,
        lease,
        faults: this.#faults,
        ...start,
        savesFirst: start.acceptsLoss === true || this.#faults.isSavingFailing,
        serverNow,
        stopping: this.#stopping.signal,
        onSink: (sink) => {
          this.#sink = sink
        },
        onEvent: () => {
          this.#lastEventAt = runtime.now()
        },
        onSaved: (saved) => {
          this.#own = { fence: lease.fence, wasLate: false, saved }
        },
      })
    } finally {
      unsubscribe()
      this.#lease = undefined
      this.#isStoreDown = lease.loss?.reason === 'store_unavailable'
      if (this.#own !== undefined) this.#own = { ...this.#own, wasLate: lease.wasLate }
    }
  }

  /** @throws `cursor_lost` */
  async #start(lease: Lease, acquired: Acquired, serverNow: () => number): Promise<Start> {
    try {
      const start = toStart({ settings: this.#parts.settings, acquired, own: this.#own, serverNow })
      const isSaved = acquired.checkpoint !== undefined || start.acceptsLoss === true
      this.#own = { fence: lease.fence, wasLate: false, ...(isSaved && { saved: start.checkpoint }) }
      return start
    } catch (error) {
      await lease.release()
      throw error
    }
  }

  async #finishQueue(lease: Lease): Promise<void> {
    const claimAfterMs = this.#parts.settings.handlerTimeoutMs + FINISHING_MS
    await finishQueue(this.#workerParts({ maxLength: 1, claimAfterMs }), lease)
  }

  #noteAnswer(): void {
    if (!this.#hasAnswered) this.#parts.onStoreAnswers?.()
    this.#hasAnswered = true
  }

  #pause(ms: number): Promise<void> {
    return pause(ms, this.#stopping.signal, this.#parts.runtime)
  }
}

function stopped(): PpoppoError {
  return new PpoppoError('closed', 'The consumer was stopped, and its time to finish is over.')
}
