import { PpoppoError } from '../../errors.js'
import type { DeadLetter } from '../consumer-types.js'
import type { MessagingEvent } from '../event-types.js'
import { tell } from '../events/tell.js'
import { attempt } from './attempts.js'
import { type Checkpoint, toCheckpointText } from './checkpoint.js'
import { commit } from './commit.js'
import { toLetter } from './event-text.js'
import { type Entry, EventWindow, type Snapshot } from './event-window.js'
import { atMost } from './pause.js'
import type { ConsumeSettings } from './settings.js'
import type { Sink, SinkParts } from './sink.js'

/** So many events may be read ahead of the oldest that is not done: one that takes long holds up none but its own. */
const MOST_READ = 1_000
const MOST_UNSAVED = 100
const LONGEST_UNSAVED_MS = 1_000

export interface HandlingParts extends SinkParts {
  readonly settings: ConsumeSettings
}

/**
 * Handles events in this process: in order for each send, side by side for different ones; at most `maxInFlight` of
 * them begun and not known to the store.
 */
export class Handling implements Sink {
  readonly #parts: HandlingParts
  #window: EventWindow
  /** By send: the first is at work or ready, the others wait for it. */
  readonly #lanes = new Map<string, Entry[]>()
  /** Lanes whose first event may begin. */
  readonly #ready = new Set<string>()
  readonly #letters = new Map<Entry, DeadLetter>()
  readonly #batch: number
  #sequence = 0
  #isCommitting = false
  #isDue = false
  #cancelTimer: (() => void) | undefined
  /** Nothing can be saved any more. */
  #isBroken = false
  #onProgress = (): void => {}

  constructor(parts: HandlingParts) {
    this.#parts = parts
    this.#window = new EventWindow(parts.checkpoint)
    this.#batch = Math.min(MOST_UNSAVED, Math.ceil(parts.settings.maxInFlight / 2))
  }

  get isFull(): boolean {
    return this.#window.size >= Math.max(MOST_READ, this.#parts.settings.maxInFlight)
  }

  get oldestOpen(): MessagingEvent | undefined {
    return this.#window.oldestOpen
  }

  take(event: MessagingEvent, isSkipped: boolean): void {
    const entry = this.#window.add(event)
    if (entry !== undefined && isSkipped) this.#window.finish(entry)
    else if (entry !== undefined) this.#enqueue(entry)
    this.#proceed()
  }

  async restart(checkpoint: Checkpoint): Promise<void> {
    const { tenure } = this.#parts
    await this.#until(() => this.#window.size === 0 || !tenure.mayBegin() || this.#isBroken)
    if (this.#window.size > 0 || !tenure.mayBegin()) return
    this.#window = new EventWindow(checkpoint)
    await this.#commit(this.#window.snapshot())
  }

  async drain(ms: number): Promise<boolean> {
    const { tenure, runtime } = this.#parts
    tenure.close()
    // What is over is not saved any more.
    const isSettled = (): boolean =>
      this.#window.begun === 0 && (this.#window.unsaved === 0 || this.#isBroken || !tenure.maySave())
    await atMost(ms, this.#until(isSettled), runtime)
    this.#cancelTimer?.()
    return isSettled()
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

  #enqueue(entry: Entry): void {
    const { sendRequestId } = entry
    const lane = this.#lanes.get(sendRequestId)
    if (lane !== undefined) {
      lane.push(entry)
      return
    }
    this.#lanes.set(sendRequestId, [entry])
    this.#ready.add(sendRequestId)
  }

  /** After anything has changed: begins what may begin, saves what is due. */
  #proceed(): void {
    const { tenure, settings, onRoom } = this.#parts
    for (const id of this.#ready) {
      if (this.#window.atRisk >= settings.maxInFlight || !tenure.mayBegin()) break
      const [entry] = this.#lanes.get(id) ?? []
      this.#ready.delete(id)
      if (entry !== undefined) this.#begin(entry)
    }
    this.#saveIfDue()
    this.#onProgress()
    if (!this.isFull) onRoom()
  }

  #begin(entry: Entry): void {
    const { settings, tenure, runtime } = this.#parts
    this.#window.begin(entry)
    attempt(entry.event, settings, tenure, runtime).then(
      (outcome) => {
        if (outcome === 'abandoned') this.#window.abandon(entry)
        else this.#finish(entry, outcome)
        this.#proceed()
      },
      (error: Error) => this.#fail(error),
    )
  }

  #finish(entry: Entry, outcome: 'handled' | DeadLetter): void {
    const { sendRequestId } = entry
    if (outcome !== 'handled') this.#letters.set(entry, outcome)
    this.#window.finish(entry)
    const lane = this.#lanes.get(sendRequestId) ?? []
    lane.shift()
    if (lane.length > 0) this.#ready.add(sendRequestId)
    else this.#lanes.delete(sendRequestId)
  }

  #saveIfDue(): void {
    const { tenure, settings, runtime } = this.#parts
    const { unsaved, atRisk } = this.#window
    if (unsaved === 0 || this.#isCommitting || this.#isBroken || !tenure.maySave()) return
    const isHeldUp = atRisk >= settings.maxInFlight || tenure.closing.aborted
    if (this.#isDue || isHeldUp || unsaved >= this.#batch) {
      void this.#commit(this.#window.snapshot())
      return
    }
    this.#cancelTimer ??= runtime.after(LONGEST_UNSAVED_MS, () => {
      this.#isDue = true
      this.#proceed()
    })
  }

  async #commit(snapshot: Snapshot): Promise<void> {
    const { tenure, onLost, name } = this.#parts
    this.#cancelTimer?.()
    this.#cancelTimer = undefined
    this.#isDue = false
    this.#isCommitting = true
    const letters = snapshot.entries.flatMap((entry) => this.#letters.get(entry) ?? [])
    const checkpoint = toCheckpointText(snapshot.checkpoint)
    const step = { fence: tenure.fence, sequence: ++this.#sequence, checkpoint, letters: letters.map(toLetter) }
    try {
      const result = await commit(step, this.#parts)
      this.#isCommitting = false
      if (result === 'lost') onLost()
      else if (result === 'full') this.#fail(lettersFull(name))
      else this.#saved(snapshot, letters)
    } catch (error) {
      this.#fail(error instanceof Error ? error : new Error('the store failed'))
    }
    this.#proceed()
  }

  #saved(snapshot: Snapshot, letters: readonly DeadLetter[]): void {
    const { settings, onSaved } = this.#parts
    for (const entry of snapshot.entries) this.#letters.delete(entry)
    this.#window.saved(snapshot)
    onSaved(snapshot.checkpoint)
    for (const letter of letters) tell(settings.onDeadLetter, letter)
  }

  #fail(error: Error): void {
    this.#isBroken = true
    this.#parts.onFailure(error)
    this.#onProgress()
  }
}

export function lettersFull(name: string): PpoppoError {
  return new PpoppoError(
    'dead_letters_full',
    `The consumer ${name} has as many dead letters as are kept. Look at them with deadLetters('${name}').list(), mend the handler, then replay() or remove() them.`,
  )
}
