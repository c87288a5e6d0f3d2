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
const LONGEST_UNSAVED_MS = 1_000

export interface SavingParts extends SinkParts {
  readonly settings: Pick<ConsumeSettings, 'maxInFlight' | 'onDeadLetter'>
  readonly window: EventWindow
  readonly suspects: Suspects
  /** Called after each commit, however it ended. */
  onCommitted(): void
}

/** Tells the store what was handled: in batches, after a second at the latest, at once where somebody waits for it. */
export class Saving {
  readonly #parts: SavingParts
  readonly #letters = new Map<Entry, DeadLetter>()
  readonly #batch: number
  #sequence: number
  #isCommitting = false
  #isDue = false
  #cancelTimer: (() => void) | undefined
  #isBroken = false

  /** @param sequence number of the last step under this fence */
  constructor(parts: SavingParts, sequence: number) {
    this.#parts = parts
    this.#sequence = sequence
    this.#batch = Math.min(MAX_UNSAVED, Math.ceil(parts.settings.maxInFlight / 2))
  }

  get sequence(): number {
    return this.#sequence
  }

  /** Nothing can be saved any more. */
  get isBroken(): boolean {
    return this.#isBroken
  }

  /** Goes with the commit that saves the entry. */
  addLetter(entry: Entry, letter: DeadLetter): void {
    this.#letters.set(entry, letter)
  }

  ifDue(): void {
    const { tenure, settings, runtime, window, suspects } = this.#parts
    if (this.#isCommitting || this.#isBroken || !tenure.maySave()) return
    const { unsaved, atRisk } = window
    const isHeldUp =
      (suspects.isHeldUp && tenure.mayBegin()) ||
      (unsaved > 0 && (atRisk >= settings.maxInFlight || tenure.closing.aborted))
    if (isHeldUp || unsaved >= this.#batch || (this.#isDue && unsaved > 0)) void this.now()
    else if (unsaved > 0) this.#cancelTimer ??= runtime.after(LONGEST_UNSAVED_MS, () => this.#becomeDue())
  }

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
      else if (result === 'full') this.fail(lettersFull(name))
      else await this.#refused(snapshot)
    } catch (error) {
      this.fail(error instanceof Error ? error : new Error('the store failed'))
    }
    this.#parts.onCommitted()
  }

  /** What the next process is to know: who is told to stop has died of nothing. Tried once. */
  async sayGoodbye(hasAbandoned: boolean): Promise<void> {
    const { store, name, tenure, window, suspects } = this.#parts
    this.stop()
    if (this.#isBroken || !tenure.maySave()) return
    const snapshot = window.snapshot()
    const isInnocent = !tenure.wasLate || (window.begun === 0 && !hasAbandoned)
    const step = this.#toStep(snapshot, suspects.leave(isInnocent, snapshot.cursorPlace))
    const result = await store.commit(name, step).catch(() => 'failed')
    if (result === 'committed') this.#saved(snapshot)
  }

  fail(error: Error): void {
    this.#isBroken = true
    this.#parts.onFailure(error)
  }

  /** Takes its timer back. */
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
    const letters = entries.flatMap((entry) => this.#letters.get(entry) ?? [])
    const sequence = ++this.#sequence
    return {
      fence: tenure.fence,
      sequence,
      checkpoint: toCheckpointText({ ...checkpoint, term: tenure.fence, ...suspects.atWork(cursorPlace, limit) }),
      letters: letters.map(toLetter),
      ...(acceptsLoss && sequence === 1 ? { acceptsLoss } : {}),
    }
  }

  #saved(snapshot: Snapshot): void {
    const { settings, window, onSaved } = this.#parts
    window.saved(snapshot)
    onSaved(snapshot.checkpoint)
    for (const entry of snapshot.entries) {
      const letter = this.#letters.get(entry)
      this.#letters.delete(entry)
      if (letter !== undefined) notify(settings.onDeadLetter, letter)
    }
  }

  /** Perhaps the store takes all but the letters: then only their events come again, not those handled beside them. */
  async #refused({ entries }: Snapshot): Promise<void> {
    const { store, name, window, suspects, onRefused } = this.#parts
    this.#isBroken = true
    const unwritten = entries.filter((entry) => this.#letters.delete(entry))
    if (unwritten.length > 0) {
      for (const entry of unwritten) window.reopen(entry)
      const snapshot = window.snapshot()
      const step = this.#toStep(snapshot, suspects.leave(true, snapshot.cursorPlace))
      if ((await store.commit(name, step).catch(() => 'failed')) === 'committed') this.#saved(snapshot)
    }
    onRefused()
  }
}

export function lettersFull(name: string): PpoppoError {
  return new PpoppoError(
    'dead_letters_full',
    `The consumer ${name} stopped because its dead-letter list is full. Inspect it with deadLetters('${name}').list(), fix the handler, then replay() or remove() them.`,
  )
}
