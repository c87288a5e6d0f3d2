import { randomUUID } from 'node:crypto'
import { isPpoppoError, PpoppoError } from '../../errors.js'
import { onAbort } from '../../lib/on-abort.js'
import type { ConsumerStore } from '../../store/consumers.js'
import type { Consumer } from '../consumer-types.js'
import type { EventsOptions, MessagingEvent } from '../event-types.js'
import { tell } from '../events/tell.js'
import type { MessagingRuntime } from '../runtime.js'
import { BEGINNING, type Checkpoint, parseCheckpoint } from './checkpoint.js'
import { lead } from './lead.js'
import { Lease } from './lease.js'
import { pause } from './pause.js'
import type { ConsumeSettings } from './settings.js'
import type { Sink } from './sink.js'
import { work } from './worker.js'

/** How often one that waits looks whether the active one is gone. */
const LONGEST_LOOK_MS = 1_000

export interface ConsumerParts {
  readonly settings: ConsumeSettings
  readonly events: (options: EventsOptions) => AsyncIterableIterator<MessagingEvent>
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
    const oldest = this.#sink?.oldestOpen?.occurredAt.getTime() ?? Number.NaN
    return Number.isNaN(oldest) ? 0 : Math.max(0, this.#parts.runtime.now() - oldest)
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
    const ends = await Promise.allSettled([this.#work(), this.#stayInLine()].map((part) => this.#untilEither(part)))
    for (const end of ends) if (end.status === 'rejected') throw end.reason
  }

  /** When one part ends, for whatever reason, the other is to end, too. */
  #untilEither(part: Promise<void>): Promise<void> {
    return part.finally(() => this.#stopping.abort())
  }

  async #work(): Promise<void> {
    const { settings, store, runtime } = this.#parts
    const { fanOut } = settings
    if (fanOut === undefined) return this.#untilStopped()
    const [closing, over] = [this.#stopping.signal, this.#over.signal]
    let cancel = (): void => {}
    const letGo = onAbort(closing, () => {
      cancel = runtime.after(settings.drainMs, () => this.#over.abort(stopped()))
    })
    try {
      await work({ store, settings: { ...settings, fanOut }, runtime, id: this.#holder, closing, over })
    } finally {
      letGo()
      cancel()
    }
  }

  #untilStopped(): Promise<void> {
    return new Promise((resolve) => {
      onAbort(this.#stopping.signal, resolve)
    })
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
    const checkpoint = parseCheckpoint(stored) ?? this.#saved ?? startOf(settings)
    this.#lease = lease
    tell(settings.onActive, { fence: lease.fence, ...(checkpoint.cursor && { after: checkpoint.cursor }) })
    try {
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
