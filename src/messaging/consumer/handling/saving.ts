import { PpoppoError } from '../../../errors.js'
import { notify } from '../../../lib/notify.js'
import type { CommitStep } from '../../../store/consumer-store.js'
import type { DeadLetter } from '../../types/consumer.js'
import type { ConsumeSettings } from '../term/settings.js'
import { toCheckpointText, toLetter } from '../term/stored-texts.js'
import type { Entry, EventWindow, Snapshot } from './event-window.js'
import { commit, type SinkParts } from './sink.js'
import type { Suspects } from './suspects.js'

const MAX_UNSAVED = 100
const MAX_UNSAVED_MS = 1_000

/** What {@link Saving} is made of. */
export interface SavingParts extends SinkParts {
  readonly settings: Pick<ConsumeSettings, 'maxInFlight' | 'onDeadLetter'>
  readonly window: EventWindow
  readonly suspects: Suspects
  /** Number of the last commit under this fence. */
  readonly sequence: number
  /** Called after each commit, whatever its result. */
  onCommitted(): void
}

/** Saves what was handled: in batches, after a second at the latest, and at once if something waits for it. */
export class Saving {
  readonly #parts: SavingParts
  readonly #deadLetters = new Map<Entry, DeadLetter>()
  readonly #batch: number
  #sequence: number
  #isCommitting = false
  #isDue = false
  #cancelTimer: (() => void) | undefined
  #isBroken = false

  constructor(parts: SavingParts) {
    this.#parts = parts
    this.#sequence = parts.sequence
    this.#batch = Math.min(MAX_UNSAVED, Math.ceil(parts.settings.maxInFlight / 2))
  }

  /** Number of the last commit under this fence. */
  get sequence(): number {
    return this.#sequence
  }

  /** Nothing can be saved any more. */
  get isBroken(): boolean {
    return this.#isBroken
  }

  /** Adds it to the commit that saves the entry. */
  addDeadLetter(entry: Entry, deadLetter: DeadLetter): void {
    this.#deadLetters.set(entry, deadLetter)
  }

  /** Saves if it is time to. */
  ifDue(): void {
    const { tenure, settings, runtime, window, suspects } = this.#parts
    if (this.#isCommitting || this.#isBroken || !tenure.maySave()) return
    const { unsaved, atRisk } = window
    const isHeldUp =
      (suspects.isHeldUp && tenure.mayBegin()) ||
      (unsaved > 0 && (atRisk >= settings.maxInFlight || tenure.closing.aborted))
    if (isHeldUp || unsaved >= this.#batch || (this.#isDue && unsaved > 0)) void this.now()
    else if (unsaved > 0) this.#cancelTimer ??= runtime.after(MAX_UNSAVED_MS, () => this.#becomeDue())
  }

  /** Saves at once. */
  async now(): Promise<void> {
    const { window, suspects, onLost, name } = this.#parts
    this.stop()
    this.#isDue = false
    this.#isCommitting = true
    const snapshot = window.snapshot()
    const [limit, alone] = [suspects.nextLimit, suspects.alone]
    try {
      const result = await commit(this.#toStep(snapshot, limit), this.#parts)
      this.#isCommitting = false
      if (result === 'committed') {
        suspects.saved(limit, alone)
        this.#saved(snapshot)
      } else if (result === 'lost') onLost()
      else if (result === 'full') this.fail(deadLettersFull(name))
      else await this.#refused(snapshot)
    } catch (error) {
      this.fail(error instanceof Error ? error : new Error('the store failed'))
    }
    this.#parts.onCommitted()
  }

  /** The last commit of a term: records for the next process that no event killed this one. Tried once. */
  async saveLast(hasAbandoned: boolean): Promise<void> {
    const { store, name, tenure, window, suspects } = this.#parts
    this.stop()
    if (this.#isBroken || !tenure.maySave()) return
    const snapshot = window.snapshot()
    const isInnocent = !tenure.wasLate || (window.begun === 0 && !hasAbandoned)
    const step = this.#toStep(snapshot, suspects.leave(isInnocent, snapshot.cursorPlace))
    const result = await store.commit(name, step).catch(() => 'failed')
    if (result === 'committed') this.#saved(snapshot)
  }

  /** Ends the consumer. */
  fail(error: Error): void {
    this.#isBroken = true
    this.#parts.onFailure(error)
  }

  /** Cancels its timer. */
  stop(): void {
    this.#cancelTimer?.()
    this.#cancelTimer = undefined
  }

  #becomeDue(): void {
    this.#cancelTimer = undefined
    this.#isDue = true
    this.ifDue()
  }

  #toStep({ checkpoint, entries, cursorPlace }: Snapshot, limit: number): CommitStep {
    const { tenure, suspects, acceptsLoss } = this.#parts
    const deadLetters = entries.flatMap((entry) => this.#deadLetters.get(entry) ?? [])
    const sequence = ++this.#sequence
    return {
      fence: tenure.fence,
      sequence,
      checkpoint: toCheckpointText({ ...checkpoint, term: tenure.fence, ...suspects.atWork(cursorPlace, limit) }),
      letters: deadLetters.map(toLetter),
      ...(acceptsLoss && sequence === 1 ? { acceptsLoss } : {}),
    }
  }

  #saved(snapshot: Snapshot): void {
    const { settings, window, onSaved } = this.#parts
    window.saved(snapshot)
    onSaved(snapshot.checkpoint)
    for (const entry of snapshot.entries) {
      const deadLetter = this.#deadLetters.get(entry)
      this.#deadLetters.delete(entry)
      if (deadLetter !== undefined) notify(settings.onDeadLetter, deadLetter)
    }
  }

  /** Perhaps the store rejects only the dead letters: then only their events are handled again. */
  async #refused({ entries }: Snapshot): Promise<void> {
    const { store, name, window, suspects, onRefused } = this.#parts
    this.#isBroken = true
    const unwritten = entries.filter((entry) => this.#deadLetters.delete(entry))
    if (unwritten.length > 0) {
      for (const entry of unwritten) window.reopen(entry)
      const snapshot = window.snapshot()
      const step = this.#toStep(snapshot, suspects.leave(true, snapshot.cursorPlace))
      if ((await store.commit(name, step).catch(() => 'failed')) === 'committed') this.#saved(snapshot)
    }
    onRefused()
  }
}

/** The error of a consumer that stops because no more dead letters can be stored. */
export function deadLettersFull(name: string): PpoppoError {
  return new PpoppoError(
    'dead_letters_full',
    `The consumer ${name} stopped because its dead-letter list is full. Inspect it with deadLetters('${name}').list(), fix the handler, then replay() or remove() them.`,
  )
}
