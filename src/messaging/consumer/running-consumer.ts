import { randomUUID } from 'node:crypto'
import { isPpoppoError, PpoppoError } from '../../errors.js'
import { notify } from '../../lib/notify.js'
import { onAbort, untilAborted } from '../../lib/on-abort.js'
import type { Acquired, ConsumerStore } from '../../store/consumer-store.js'
import { pause } from '../lib/pause.js'
import type { MessagingRuntime } from '../lib/runtime.js'
import type { Consumer, FanOutOptions } from '../types/consumer.js'
import type { MessagingEvent } from '../types/events.js'
import { finishQueue } from './finish-queue.js'
import type { Sink } from './handling/sink.js'
import { lead } from './lead.js'
import type { OpenStream } from './read-stream.js'
import { type OwnTerm, type Start, toStart } from './resume.js'
import { Lease } from './term/lease.js'
import type { ConsumeSettings } from './term/settings.js'
import { StoreFaults } from './term/store-faults.js'
import { type WorkerParts, work } from './worker.js'

/** How often one that waits looks whether the active one is gone: at least, and at most. */
const LONGEST_LOOK_MS = 1_000
const SHORTEST_LOOK_MS = 20
/** How long one that could save nothing waits before it tries again. */
const LONGEST_REFUSED_MS = 5_000
/** After its handler's time a worker has so long to say that it is done. */
const FINISHING_MS = 30_000

export interface ConsumerParts {
  readonly settings: ConsumeSettings
  readonly events: OpenStream
  readonly store: ConsumerStore
  readonly runtime: MessagingRuntime
  /** The server's time in milliseconds since the epoch, or a little before it. @default this machine's */
  readonly serverNow?: () => number
  /** Tells an operator what must not be missed. */
  readonly warn?: (text: string) => void
  /** Called when the store has answered for the first time. */
  readonly onStoreAnswers?: () => void
}

/** A consumer from `consume()` to its end: on standby, active, on standby again, ... */
export class RunningConsumer implements Consumer {
  readonly name: string
  readonly closed: Promise<void>
  readonly #parts: ConsumerParts
  /** Tells this run from every other one. */
  readonly #holder: string = randomUUID()
  readonly #stopping = new AbortController()
  readonly #over = new AbortController()
  #lease: Lease | undefined
  #sink: Sink | undefined
  /** What this process's worker is at work on. */
  readonly #atHand = new Set<MessagingEvent>()
  #lastEventAt: number | undefined
  #own: OwnTerm | undefined
  readonly #faults: StoreFaults
  /** The app was told that the store does not answer, and it has not answered since. */
  #isStoreDown = false
  #hasAnswered = false

  constructor(parts: ConsumerParts) {
    this.#parts = parts
    const { name, leaseMs, onStoreFault } = parts.settings
    this.name = name
    this.#faults = new StoreFaults({
      name,
      patienceMs: leaseMs,
      warn: parts.warn ?? (() => {}),
      ...(onStoreFault && { onStoreFault }),
    })
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
    await this.closed.catch(() => {}) // `closed` tells of that
  }

  async #run(): Promise<void> {
    // Not in the constructor's turn: `consume()` returns before anything happens.
    await Promise.resolve()
    const { settings, runtime } = this.#parts
    let cancel = (): void => {}
    onAbort(this.#stopping.signal, () => {
      cancel = runtime.after(settings.drainMs, () => this.#over.abort(stopped()))
    })
    const ends = await Promise.allSettled([this.#work(), this.#stayInLine()].map((part) => this.#untilEither(part)))
    cancel()
    for (const end of ends) if (end.status === 'rejected') throw end.reason
  }

  /** When one part ends, for whatever reason, the other is to end, too. */
  #untilEither(part: Promise<void>): Promise<void> {
    return part.finally(() => this.#stopping.abort())
  }

  async #work(): Promise<void> {
    const { fanOut } = this.#parts.settings
    if (fanOut === undefined) return untilAborted(this.#stopping.signal)
    await work(this.#workerParts(fanOut))
  }

  #workerParts(fanOut: Required<FanOutOptions>): WorkerParts {
    const { settings, store, runtime } = this.#parts
    const [id, over, atHand, faults] = [this.#holder, this.#over.signal, this.#atHand, this.#faults]
    const closing = this.#stopping.signal
    return { store, settings: { ...settings, fanOut }, runtime, id, closing, over, atHand, faults }
  }

  async #stayInLine(): Promise<void> {
    while (!this.#stopping.signal.aborted) {
      try {
        await this.#takeTurn()
      } catch (error) {
        if (!isPpoppoError(error, 'store_unavailable')) throw error
        this.#faults.failed('lease', error)
        if (!this.#isStoreDown) notify(this.#parts.settings.onStandby, { reason: 'store_unavailable', error })
        this.#isStoreDown = true
        await this.#pause(LONGEST_LOOK_MS / 2)
      }
    }
  }

  /** Waits for a while, or leads until that is over. @throws `store_unavailable`, and what ends the consumer */
  async #takeTurn(): Promise<void> {
    const { settings, store } = this.#parts
    const askedAt = performance.now()
    const answer = await store.acquire(settings.name, this.#holder, settings.leaseMs)
    this.#faults.worked('lease')
    this.#isStoreDown = false
    this.#noteAnswer()
    if ('heldForMs' in answer) {
      const longestMs = Math.min(answer.heldForMs + 10, settings.leaseMs / 3, LONGEST_LOOK_MS)
      return this.#pause(Math.max(longestMs, SHORTEST_LOOK_MS))
    }
    const lease = new Lease({
      store,
      name: settings.name,
      holder: this.#holder,
      ttlMs: settings.leaseMs,
      fence: answer.fence,
      askedAt,
      faults: this.#faults,
    })
    await this.#lead(lease, answer)
    // Who has just found that nothing can be saved does not try that without a pause.
    if (this.#faults.isSavingFailing) await this.#pause(Math.min(settings.leaseMs, LONGEST_REFUSED_MS))
  }

  async #lead(lease: Lease, acquired: Acquired): Promise<void> {
    const { settings, runtime, store, events, serverNow = runtime.now } = this.#parts
    this.#lease = lease
    const unsubscribe = onAbort(lease.signal, () => lease.loss && notify(settings.onStandby, lease.loss))
    try {
      const start = await this.#start(lease, acquired, serverNow)
      const { cursor } = start.checkpoint
      notify(settings.onActive, { fence: lease.fence, ...(cursor && { after: cursor }) })
      if (settings.fanOut === undefined) await this.#finishQueue(lease)
      await lead({
        settings,
        events,
        store,
        runtime,
        lease,
        faults: this.#faults,
        ...start,
        opens: start.acceptsLoss === true || this.#faults.isSavingFailing,
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
      const start = toStart(this.#parts.settings, acquired, this.#own, serverNow)
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
