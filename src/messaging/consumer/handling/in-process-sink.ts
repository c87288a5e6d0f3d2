import { atMost } from '../../lib/pause.js'
import type { DeadLetter } from '../../types/consumer.js'
import type { MessagingEvent } from '../../types/events.js'
import type { ConsumeSettings } from '../term/settings.js'
import type { Checkpoint } from '../term/stored-texts.js'
import { attempt } from './attempts.js'
import { type Entry, EventWindow } from './event-window.js'
import { Lanes } from './lanes.js'
import { Saving } from './saving.js'
import type { Sink, SinkParts } from './sink.js'
import { Suspects } from './suspects.js'

/** So many events may be read ahead of the oldest that is not done: one that takes long holds up none but its own. */
const MAX_READ = 1_000

export interface HandlingParts extends SinkParts {
  readonly settings: ConsumeSettings
}

/**
 * Handles events in this process: in order for each send, side by side for different ones; at most `maxInFlight` of
 * them begun and not known to the store. After a process that ended without a word, one by one: see {@link Suspects}.
 */
export class Handling implements Sink {
  readonly #parts: HandlingParts
  #window: EventWindow
  #suspects: Suspects
  #saving: Saving
  readonly #lanes = new Lanes()
  /** Takes back the time after which an event that is alone is so no longer. */
  #cancelTurn: (() => void) | undefined
  /** Something was begun and came to nothing. */
  #hasAbandoned = false
  #onProgress = (): void => {}

  constructor(parts: HandlingParts) {
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
    // What is over is not saved any more.
    const isSettled = (): boolean =>
      this.#window.begun === 0 && (this.#window.unsaved === 0 || this.#saving.isBroken || !tenure.maySave())
    await atMost(ms, this.#until(isSettled), runtime)
    this.#cancelTurn?.()
    await this.#saving.sayGoodbye(this.#hasAbandoned)
    return isSettled()
  }

  #createSaving(): Saving {
    const [window, suspects, sequence] = [this.#window, this.#suspects, this.#saving?.sequence ?? 0]
    return new Saving({ ...this.#parts, window, suspects, onCommitted: () => this.#proceed() }, sequence)
  }

  /** Resolves when it is so; it is looked at after each change. */
  #until(isSo: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      this.#onProgress = () => {
        if (isSo()) resolve()
      }
      this.#proceed()
    })
  }

  /** Nothing is to be done with it. */
  #drop(entry: Entry): void {
    this.#window.finish(entry)
    this.#suspects.clear(entry.place)
  }

  /** After anything has changed: begins what may begin, saves what is due. */
  #proceed(): void {
    const { tenure, settings, onRoom } = this.#parts
    while (tenure.mayBegin()) {
      const entry = this.#suspects.isAny ? this.#nextAlone() : this.#next()
      if (entry === undefined || this.#window.atRisk >= settings.maxInFlight) break
      this.#begin(entry)
    }
    this.#saving.ifDue()
    this.#onProgress()
    if (!this.isFull) onRoom()
  }

  #next(): Entry | undefined {
    const entry = this.#lanes.next
    return entry !== undefined && this.#suspects.admits(entry) ? entry : undefined
  }

  /** The suspect whose turn it is, once the store knows of its delivery. */
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

  /** It is not handled again: it must not end one process after another. */
  #giveUp(entry: Entry): void {
    const attempts = this.#suspects.deliveriesOf(entry)
    const error = `no process that was given it finished it, in ${attempts} deliveries`
    this.#suspects.clear(entry.place)
    this.#finish(entry, { event: entry.event, error, attempts, failedAt: new Date(this.#parts.runtime.now()) })
  }

  #begin(entry: Entry): void {
    const { settings, tenure, runtime } = this.#parts
    const { alone } = this.#suspects
    this.#lanes.begin(entry)
    this.#window.begin(entry)
    if (alone?.entry === entry) alone.state = 'begun'
    const first = alone?.entry === entry ? this.#suspects.deliveriesOf(entry) : 1
    const pass = alone?.entry === entry ? this.#takeTurn(entry) : undefined
    attempt(entry.event, settings, tenure, runtime, first, pass).then(
      (outcome) => {
        if (outcome === 'abandoned') this.#abandon(entry)
        else this.#finish(entry, outcome)
        pass?.()
        this.#proceed()
      },
      (error: Error) => this.#saving.fail(error),
    )
  }

  /** @returns what ends the turn of the one that is alone: to be called when its first attempt has ended */
  #takeTurn(entry: Entry): () => void {
    const { settings, runtime } = this.#parts
    const pass = (): void => {
      this.#cancelTurn?.()
      this.#cancelTurn = undefined
      this.#suspects.pass(entry)
    }
    // One that takes long, and has neither killed this process nor cost it its lease, holds up the others no more.
    this.#cancelTurn = runtime.after(settings.leaseMs, () => {
      pass()
      this.#proceed()
    })
    return pass
  }

  #abandon(entry: Entry): void {
    this.#hasAbandoned = true
    this.#window.abandon(entry)
  }

  #finish(entry: Entry, outcome: 'handled' | DeadLetter): void {
    if (outcome !== 'handled') this.#saving.addLetter(entry, outcome)
    this.#suspects.forget(entry)
    this.#window.finish(entry)
    this.#lanes.finish(entry)
  }
}
