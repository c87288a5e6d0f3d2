import { randomUUID } from 'node:crypto'
import { isPpoppoError, PpoppoError } from '../../errors.js'
import { onAbort, untilAborted } from '../../lib/on-abort.js'
import type { ConsumerStore } from '../../store/consumers.js'
import type { Consumer, FanOutOptions } from '../consumer-types.js'
import type { MessagingEvent } from '../event-types.js'
import { tell } from '../events/tell.js'
import type { MessagingRuntime } from '../runtime.js'
import { BEGINNING, type Checkpoint, parseCheckpoint } from './checkpoint.js'
import { lead } from './lead.js'
import { Lease } from './lease.js'
import { pause } from './pause.js'
import type { OpenStream } from './read-stream.js'
import type { ConsumeSettings } from './settings.js'
import type { Sink } from './sink.js'
import { type WorkerParts, work } from './worker.js'

/** How often one that waits looks whether the active one is gone. */
const LONGEST_LOOK_MS = 1_000
/** After its handler's time a worker has so long to say that it is done. */
const FINISHING_MS = 30_000

export interface ConsumerParts {
  readonly settings: ConsumeSettings
  readonly events: OpenStream
  readonly store: ConsumerStore
  readonly runtime: MessagingRuntime
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
  /** What this process saved last: the place to go on from should the store have lost it. */
  #saved: Checkpoint | undefined
  /** The app was told that the store does not answer, and it has not answered since. */
  #isStoreDown = false

  constructor(parts: ConsumerParts) {
    this.#parts = parts
    this.name = parts.settings.name
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
    await work({ ...this.#workerParts(fanOut), closing: this.#stopping.signal })
  }

  #workerParts(fanOut: Required<FanOutOptions>): Omit<WorkerParts, 'closing'> {
    const { settings, store, runtime } = this.#parts
    const [id, over, atHand] = [this.#holder, this.#over.signal, this.#atHand]
    return { store, settings: { ...settings, fanOut }, runtime, id, over, atHand }
  }

  async #stayInLine(): Promise<void> {
    while (!this.#stopping.signal.aborted) {
      try {
        await this.#takeTurn()
      } catch (error) {
        if (!isPpoppoError(error, 'store_unavailable')) throw error
        if (!this.#isStoreDown) tell(this.#parts.settings.onStandby, { reason: 'store_unavailable', error })
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
    this.#isStoreDown = false
    if ('heldForMs' in answer) {
      return this.#pause(Math.min(answer.heldForMs + 10, settings.leaseMs / 3, LONGEST_LOOK_MS))
    }
    const lease = new Lease({
      store,
      name: settings.name,
      holder: this.#holder,
      ttlMs: settings.leaseMs,
      fence: answer.fence,
      askedAt,
    })
    await this.#lead(lease, answer.checkpoint)
  }

  async #lead(lease: Lease, stored: string | undefined): Promise<void> {
    const { settings, runtime, store, events } = this.#parts
    // With workers a store that lost the checkpoint has lost what waited for them, too: that has to be read again.
    const own = settings.fanOut === undefined ? this.#saved : undefined
    const checkpoint = parseCheckpoint(stored) ?? own ?? startOf(settings)
    this.#lease = lease
    tell(settings.onActive, { fence: lease.fence, ...(checkpoint.cursor && { after: checkpoint.cursor }) })
    try {
      if (settings.fanOut === undefined) await this.#finishQueue(lease)
      await lead({
        settings,
        events,
        store,
        runtime,
        lease,
        checkpoint,
        stopping: this.#stopping.signal,
        onSink: (sink) => {
          this.#sink = sink
        },
        onEvent: () => {
          this.#lastEventAt = runtime.now()
        },
        onSaved: (saved) => {
          this.#saved = saved
        },
      })
    } finally {
      this.#lease = undefined
      if (lease.loss) tell(settings.onStandby, lease.loss)
      this.#isStoreDown = lease.loss?.reason === 'store_unavailable'
    }
  }

  /** What waits for workers since a time when this name had `fanOut` is handled first: nobody else would. */
  async #finishQueue(lease: Lease): Promise<void> {
    const { store, settings, runtime } = this.#parts
    const isLeft = async (): Promise<boolean> => (await store.queue.length(settings.name)) > 0
    const closing = new AbortController()
    const letGo = [this.#stopping.signal, lease.signal].map((signal) => onAbort(signal, () => closing.abort()))
    const claimAfterMs = settings.handlerTimeoutMs + FINISHING_MS
    const parts = { ...this.#workerParts({ maxLength: 1, claimAfterMs }), closing: closing.signal }
    let working: Promise<void> | undefined
    try {
      while (!closing.signal.aborted && (await isLeft())) {
        working ??= work(parts)
        await Promise.race([working, pause(LONGEST_LOOK_MS, closing.signal, runtime)])
      }
    } catch (error) {
      await lease.release()
      throw error
    } finally {
      closing.abort()
      await working
      for (const off of letGo) off()
    }
  }

  #pause(ms: number): Promise<void> {
    return pause(ms, this.#stopping.signal, this.#parts.runtime)
  }
}

function startOf({ after }: ConsumeSettings): Checkpoint {
  return after === undefined ? BEGINNING : { cursor: after, ahead: [] }
}

function stopped(): PpoppoError {
  return new PpoppoError('closed', 'The consumer was stopped, and its time to finish is over.')
}
