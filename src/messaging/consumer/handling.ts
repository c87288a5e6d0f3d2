import { PpoppoError } from '../../errors.js'
import type { DeadLetter } from '../consumer-types.js'
import type { MessagingEvent } from '../event-types.js'
import { attempt } from './attempts.js'
import { type Checkpoint, toCheckpointText } from './checkpoint.js'
import { type CommitParts, commit } from './commit.js'
import { toLetterText } from './event-text.js'
import { type Entry, EventWindow } from './event-window.js'
import type { ConsumeSettings } from './settings.js'
import type { Sink, SinkCalls } from './sink.js'

/** So many events may be read ahead of the oldest that is not done: one that takes long holds up none but its own. */
const MOST_READ = 1_000
const MOST_UNSAVED = 100
const LONGEST_UNSAVED_MS = 1_000

export interface HandlingParts extends CommitParts, SinkCalls {
  readonly settings: ConsumeSettings
  readonly checkpoint: Checkpoint
  /** What was saved, for a store that loses it. */
  onSaved(checkpoint: Checkpoint): void
}

/**
 * Handles events in this process: in order for each send, side by side for different ones; at most `maxInFlight` of
 * them begun and not known to the store.
 */
export class Handling implements Sink {
  readonly #parts: HandlingParts
  readonly #window: EventWindow
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

  async drain(ms: number): Promise<boolean> {
    const { tenure, runtime } = this.#parts
    tenure.close()
    const isDone = (): boolean => this.#window.begun === 0 && this.#window.unsaved === 0
    await new Promise<void>((resolve) => {
      const cancel = runtime.after(ms, resolve)
      this.#onProgress = () => {
        // What is over is not saved any more; but its handlers are waited for, so that no other begins beside them.
        if (!isDone() && !(this.#window.begun === 0 && !tenure.maySave())) return
        cancel()
        resolve()
      }
      this.#proceed()
    })
    this.#cancelTimer?.()
    return isDone()
  }

  #enqueue(entry: Entry): void {
    const { sendRequestId } = entry.event
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
    const { settings, tenure, runtime, onFailure } = this.#parts
    this.#window.begin(entry)
    attempt(entry.event, settings, tenure, runtime).then((outcome) => {
      if (outcome === 'abandoned') this.#window.abandon(entry)
      else this.#finish(entry, outcome)
      this.#proceed()
    }, onFailure)
  }

  #finish(entry: Entry, outcome: 'handled' | DeadLetter): void {
    const { sendRequestId } = entry.event
    if (outcome !== 'handled') this.#letters.set(entry, outcome)
    this.#window.finish(entry)
    const lane = this.#lanes.get(sendRequestId) ?? []
    lane.shift()
    if (lane.length > 0) this.#ready.add(sendRequestId)
    else this.#lanes.delete(sendRequestId)
  }

  #saveIfDue(): void {
    const { tenure, settings, runtime, onFailure } = this.#parts
    const { unsaved, atRisk } = this.#window
    if (unsaved === 0 || this.#isCommitting || !tenure.maySave()) return
    const isHeldUp = atRisk >= settings.maxInFlight || tenure.closing.aborted
    if (this.#isDue || isHeldUp || unsaved >= this.#batch) {
      this.#save().then(() => this.#proceed(), onFailure)
      return
    }
    this.#cancelTimer ??= runtime.after(LONGEST_UNSAVED_MS, () => {
      this.#isDue = true
      this.#proceed()
    })
  }

  async #save(): Promise<void> {
    const { tenure, onSaved, onLost, onFailure } = this.#parts
    this.#cancelTimer?.()
    this.#cancelTimer = undefined
    this.#isDue = false
    this.#isCommitting = true
    const snapshot = this.#window.snapshot()
    const letters = snapshot.entries.flatMap((entry) => {
      const letter = this.#letters.get(entry)
      return letter === undefined ? [] : [{ id: letter.event.eventId, text: toLetterText(letter) }]
    })
    const checkpoint = toCheckpointText(snapshot.checkpoint)
    const step = { fence: tenure.fence, sequence: ++this.#sequence, checkpoint, letters }
    const result = await commit(step, this.#parts)
    this.#isCommitting = false
    if (result === 'lost') return onLost()
    if (result === 'full') return onFailure(lettersFull(this.#parts.name))
    for (const entry of snapshot.entries) this.#letters.delete(entry)
    this.#window.saved(snapshot)
    onSaved(snapshot.checkpoint)
  }
}

export function lettersFull(name: string): PpoppoError {
  return new PpoppoError(
    'dead_letters_full',
    `The consumer ${name} has as many dead letters as are kept. Look at them with deadLetters('${name}').list(), mend the handler, then replay() or remove() them.`,
  )
}
