import { atMost } from '../../lib/pause.js'
import { Signal } from '../../lib/signal.js'
import type { DeadLetter } from '../../types/consumer.js'
import type { MessagingEvent } from '../../types/events.js'
import type { ConsumeSettings } from '../term/settings.js'
import type { Checkpoint } from '../term/stored-texts.js'
import { attempt } from './attempts.js'
import { type Entry, EventWindow, Lanes } from './event-window.js'
import { Saving } from './saving.js'
import type { Sink, SinkParts } from './sink.js'
import { Suspects } from './suspects.js'

/** How far to read ahead of the oldest open event: one that takes long holds up only those of its own send. */
const MAX_READ = 1_000

/** What {@link InProcessSink} is made of. */
export interface InProcessSinkParts extends SinkParts {
  readonly settings: ConsumeSettings
}

/**
 * Handles events in this process: those of one send in order, those of different sends concurrently. At most `maxInFlight`
 * are begun and not yet saved. After a process that died, one at a time: see {@link Suspects}.
 */
export class InProcessSink implements Sink {
  readonly #parts: InProcessSinkParts
  #window: EventWindow
  #suspects: Suspects
  #saving: Saving
  readonly #lanes = new Lanes()
  /** Something has changed. */
  readonly #progress = new Signal()
  /** Cancels the timer that ends the turn of a suspect. */
  #cancelTurn: (() => void) | undefined
  /** An event was begun and not finished. */
  #hasAbandoned = false

  constructor(parts: InProcessSinkParts) {
    this.#parts = parts
    this.#window = new EventWindow(parts.checkpoint)
    this.#suspects = new Suspects(parts.checkpoint, parts.settings.maxInFlight)
    this.#saving = this.#createSaving()
  }

  get isFull(): boolean {
    return this.#window.size >= Math.max(MAX_READ, this.#parts.settings.maxInFlight)
  }

  get oldestOpen(): MessagingEvent | undefined {
    return this.#window.oldestOpen
  }

  open(): Promise<void> {
    return this.#saving.now()
  }

  take(event: MessagingEvent, isSkipped: boolean): void {
    const entry = this.#window.add(event)
    if (entry === undefined) this.#suspects.clear(this.#window.newest)
    else if (isSkipped) this.#drop(entry)
    else this.#lanes.add(entry)
    this.#proceed()
  }

  async restart(checkpoint: Checkpoint): Promise<void> {
    const { tenure, settings } = this.#parts
    await this.#until(() => this.#window.size === 0 || !tenure.mayBegin() || this.#saving.isBroken)
    if (this.#window.size > 0 || !tenure.mayBegin()) return
    this.#window = new EventWindow(checkpoint)
    this.#suspects = new Suspects(checkpoint, settings.maxInFlight)
    this.#saving = this.#createSaving()
    await this.#saving.now()
  }

  async drain(ms: number): Promise<boolean> {
    const { tenure, runtime } = this.#parts
    tenure.close()
    // After the tenure nothing is saved.
    const isSettled = (): boolean =>
      this.#window.begun === 0 && (this.#window.unsaved === 0 || this.#saving.isBroken || !tenure.maySave())
    await atMost(ms, this.#until(isSettled), runtime)
    this.#cancelTurn?.()
    await this.#saving.saveLast(this.#hasAbandoned)
    return isSettled()
  }

  #createSaving(): Saving {
    const [window, suspects, sequence] = [this.#window, this.#suspects, this.#saving?.sequence ?? 0]
    return new Saving({ ...this.#parts, window, suspects, sequence, onCommitted: () => this.#proceed() })
  }

  /** Resolves when the condition holds; it is checked after each change. */
  async #until(isMet: () => boolean): Promise<void> {
    this.#proceed()
    while (!isMet()) await this.#progress.next()
  }

  /** Counts it as handled. */
  #drop(entry: Entry): void {
    this.#window.finish(entry)
    this.#suspects.clear(entry.place)
  }

  /** Called after every change: begins what may begin, and saves what is due. */
  #proceed(): void {
    const { tenure, settings, onRoom } = this.#parts
    while (tenure.mayBegin()) {
      const entry = this.#suspects.isAny ? this.#nextAlone() : this.#next()
      if (entry === undefined || this.#window.atRisk >= settings.maxInFlight) break
      this.#begin(entry)
    }
    this.#saving.ifDue()
    this.#progress.notify()
    if (!this.isFull) onRoom()
  }

  #next(): Entry | undefined {
    const entry = this.#lanes.next
    return entry !== undefined && this.#suspects.admits(entry) ? entry : undefined
  }

  /** The suspect whose turn it is, once its delivery is saved. */
  #nextAlone(): Entry | undefined {
    const { alone } = this.#suspects
    if (alone !== undefined) return alone.state === 'saved' ? alone.entry : undefined
    for (let entry = this.#lanes.oldest; entry && this.#suspects.includes(entry); entry = this.#lanes.oldest) {
      if (!this.#suspects.isGivenUp(entry, this.#parts.settings.maxAttempts)) {
        this.#suspects.announce(entry)
        break
      }
      this.#giveUp(entry)
    }
    return undefined
  }

  /** Does not handle it again: it must not kill one process after another. */
  #giveUp(entry: Entry): void {
    const attempts = this.#suspects.deliveriesOf(entry)
    const error = `no process finished it in ${attempts} deliveries`
    this.#suspects.clear(entry.place)
    this.#finish(entry, { event: entry.event, error, attempts, failedAt: new Date(this.#parts.runtime.now()) })
  }

  #begin(entry: Entry): void {
    const { settings, tenure, runtime } = this.#parts
    const { alone } = this.#suspects
    this.#lanes.begin(entry)
    this.#window.begin(entry)
    if (alone?.entry === entry) alone.state = 'begun'
    const firstAttempt = alone?.entry === entry ? this.#suspects.deliveriesOf(entry) : 1
    const endTurn = alone?.entry === entry ? this.#beginTurn(entry) : undefined
    attempt({ event: entry.event, settings, tenure, runtime, firstAttempt, onFirstFailure: endTurn }).then(
      (outcome) => {
        if (outcome === 'abandoned') this.#abandon(entry)
        else this.#finish(entry, outcome)
        endTurn?.()
        this.#proceed()
      },
      (error: Error) => this.#saving.fail(error),
    )
  }

  /** Begins the turn of a suspect. @returns a function that ends it, to be called when its first attempt has ended */
  #beginTurn(entry: Entry): () => void {
    const { settings, runtime } = this.#parts
    const endTurn = (): void => {
      this.#cancelTurn?.()
      this.#cancelTurn = undefined
      this.#suspects.endTurn(entry)
    }
    // It has neither killed this process nor cost it its lease: the others need not wait for it any longer.
    this.#cancelTurn = runtime.after(settings.leaseMs, () => {
      endTurn()
      this.#proceed()
    })
    return endTurn
  }

  #abandon(entry: Entry): void {
    this.#hasAbandoned = true
    this.#window.abandon(entry)
  }

  #finish(entry: Entry, outcome: 'handled' | DeadLetter): void {
    if (outcome !== 'handled') this.#saving.addDeadLetter(entry, outcome)
    this.#suspects.forget(entry)
    this.#window.finish(entry)
    this.#lanes.finish(entry)
  }
}
