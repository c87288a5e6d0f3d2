import { setMaxListeners } from 'node:events'
import { isPpoppoError, type PpoppoError } from '../errors.js'
import { isCommonFailure, isOutage, outcomeOf } from './chunk-outcome.js'
import type { ChunkReader } from './chunk-reader.js'
import type { SendManyTally } from './send-many-tally.js'
import { sendPatiently } from './send-patiently.js'
import type { ChunkReport, Recipient, SendManyRequest, SendReceipt } from './types.js'

/** So many sends in a row that nobody answers end the run. */
const OUTAGES_TO_END = 8

/** Why a run ended before its source did. */
export type EarlyEnd =
  | { readonly by: 'caller'; readonly through: 'signal' | 'onProgress'; readonly cause: unknown }
  | { readonly by: 'source'; readonly error: PpoppoError }
  | { readonly by: 'failure'; readonly error: PpoppoError }

/** What a run is made of. */
export interface SendManyParts {
  readonly reader: ChunkReader
  readonly tally: SendManyTally
  readonly closeSource: () => Promise<unknown>
  readonly concurrency: number
  readonly isSkipped: (index: number) => boolean
  /** Sends to the end, repeats included; `cutOff` ends it in the middle. */
  readonly sendChunk: (recipients: readonly Recipient[], cutOff: AbortSignal) => Promise<SendReceipt>
  readonly onProgress: SendManyRequest['onProgress']
  /** How long sends under way may still take once the caller wants the run to end. */
  readonly graceMs: number
}

/**
 * One run of `sendMany`: reads a chunk, waits for a place among the sends under way, starts it, reads on. So at any
 * time at most `concurrency` chunks are under way and one more is in hand.
 */
export class SendManyRun {
  /** The first reason for ending early. */
  earlyEnd: EarlyEnd | undefined
  readonly #parts: SendManyParts
  readonly #ended = new AbortController()
  readonly #cutOff = new AbortController()
  readonly #sending = new Set<Promise<ChunkReport>>()
  #placesTaken = 0
  #outagesInARow = 0
  #placeIsFree: () => void = () => {}
  #told: Promise<void> = Promise.resolve()
  #isThroughWithProgress = false
  #grace: NodeJS.Timeout | undefined

  constructor(parts: SendManyParts) {
    this.#parts = parts
    // As many sends and pauses as there are places listen to them: no leak.
    setMaxListeners(0, this.#ended.signal, this.#cutOff.signal)
  }

  /**
   * Nothing more is read or started from here on. Sends under way go on, but where the caller wants an end for
   * {@link SendManyParts.graceMs} at most.
   */
  end(reason: EarlyEnd): void {
    this.earlyEnd ??= reason
    this.#ended.abort()
    this.#placeIsFree()
    if (reason.by === 'caller') {
      this.#grace ??= setTimeout(() => this.#cutOff.abort(new CutOff(reason.cause)), this.#parts.graceMs)
    }
  }

  /** Reads and starts chunks until the source is at its end, or the run is: also while the source keeps us waiting. */
  async readAndStart(): Promise<void> {
    await Promise.race([this.#readToEnd(), aborted(this.#ended.signal)])
  }

  /** Closes the source, waits for the sends under way, and for what `onProgress` still does. */
  async settle(): Promise<void> {
    await Promise.all([this.#parts.closeSource(), ...this.#sending])
    await Promise.race([this.#told, aborted(this.#cutOff.signal)])
    clearTimeout(this.#grace)
  }

  async #readToEnd(): Promise<void> {
    try {
      for (let index = 0; ; index += 1) {
        const recipients = await this.#parts.reader.next(() => this.earlyEnd === undefined)
        if (recipients === undefined) return
        if (this.#parts.isSkipped(index)) continue
        await this.#place()
        if (this.earlyEnd !== undefined) return
        this.#start(index, recipients)
      }
    } catch (error) {
      this.end({ by: 'source', error: error as PpoppoError })
    }
  }

  async #place(): Promise<void> {
    while (this.#placesTaken >= this.#parts.concurrency && this.earlyEnd === undefined) {
      await new Promise<void>((resolve) => {
        this.#placeIsFree = resolve
      })
    }
  }

  #start(index: number, recipients: readonly Recipient[]): void {
    this.#placesTaken += 1
    this.#parts.tally.start(recipients.length)
    const sending = this.#send(index, recipients)
    this.#sending.add(sending)
    void sending
      .then((chunk) => {
        this.#sending.delete(sending)
        return this.#tell(chunk)
      })
      .then(() => {
        this.#placesTaken -= 1
        this.#placeIsFree()
      })
  }

  async #send(index: number, recipients: readonly Recipient[]): Promise<ChunkReport> {
    const chunk = { index, recipients: recipients.length }
    const attempt = () => this.#parts.sendChunk(recipients, this.#cutOff.signal)
    try {
      const accepted = { ...chunk, receipt: await sendPatiently(attempt, this.#ended.signal) }
      this.#outagesInARow = 0
      this.#parts.tally.settle(accepted, 'accepted')
      return accepted
    } catch (error) {
      const failed = { ...chunk, error: toError(error) }
      this.#parts.tally.settle(failed, outcomeOf(error))
      this.#considerEnding(error)
      return failed
    }
  }

  #considerEnding(error: unknown): void {
    this.#outagesInARow = isOutage(error) ? this.#outagesInARow + 1 : 0
    if (!isPpoppoError(error)) return
    const isGone = this.#outagesInARow >= Math.max(OUTAGES_TO_END, 2 * this.#parts.concurrency)
    if (isGone || isCommonFailure(error, this.#parts.tally.hasAccepted)) this.end({ by: 'failure', error })
  }

  /** One call at a time, in the order in which chunks ended, each with the counts of its moment. */
  #tell(chunk: ChunkReport): Promise<void> {
    const { onProgress, tally } = this.#parts
    if (onProgress === undefined) return this.#told
    const progress = tally.progress(chunk)
    this.#told = this.#told
      .then(() => (this.#isThroughWithProgress ? undefined : onProgress(progress)))
      .catch((cause: unknown) => {
        this.#isThroughWithProgress = true
        this.end({ by: 'caller', through: 'onProgress', cause })
      })
    return this.#told
  }
}

function toError(error: unknown): Error {
  return error instanceof Error ? error : new Error('the send failed with something that is no error', { cause: error })
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })
}

/** Ends sends under way. Not the caller's own reason: an error of the library among those reads as "surely not sent". */
class CutOff extends Error {
  override readonly name = 'AbortError'

  constructor(cause: unknown) {
    super('It was cut off while it was under way: it may have been accepted.', { cause })
  }
}
