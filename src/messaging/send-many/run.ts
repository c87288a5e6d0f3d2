import { isPpoppoError, type PpoppoError } from '../../errors.js'
import { untilAborted } from '../../lib/on-abort.js'
import type { SendContext } from '../call/call-options.js'
import { TooLargeError } from '../call/failure.js'
import type { MessagingRuntime } from '../lib/runtime.js'
import type { ChunkReport, Recipient, SendManyRequest, SendReceipt } from '../types/methods.js'
import { isCommonFailure, isOutage, isRefusal, outcomeOf } from './chunk-outcome.js'
import type { Chunk, ChunkReader } from './chunk-reader.js'
import { type Attempt, ChunkSender, type Range, Refusals } from './chunk-sender.js'
import { type OnAway, Patience } from './patience.js'
import { ProgressReporter, type SendManyTally } from './tally.js'

/** This many sends in a row with an unknown outcome stop the run. */
const MAX_UNKNOWN_IN_A_ROW = 8
/** What servers accept by default: grpc-js, Go, Java, C++ and tonic alike. */
const MAX_BYTES = 4 * 1024 * 1024
/** After a request is rejected for its size, this share of it is tried: a little over half, so that both halves pass. */
const SMALLER = 0.6

/** Why a run ended before its source did. */
export type EarlyEnd =
  | { readonly by: 'caller'; readonly through: 'signal' | 'onProgress'; readonly cause: unknown }
  | { readonly by: 'source'; readonly error: PpoppoError }
  | { readonly by: 'failure'; readonly error: PpoppoError }
  /** The client is being closed. */
  | { readonly by: 'close'; readonly error: PpoppoError }

/** What a {@link SendManyRun} is made of. */
export interface SendManyRunParts {
  readonly reader: ChunkReader
  readonly tally: SendManyTally
  readonly closeSource: () => Promise<unknown>
  readonly concurrency: number
  readonly patienceMs: number
  /** One send including its retries; `cutOff` ends it halfway. */
  readonly send: (recipients: readonly Recipient[], cutOff: AbortSignal, context: SendContext) => Promise<SendReceipt>
  /** Makes a call to PCS that is safe to retry. */
  readonly probe: ((signal: AbortSignal) => Promise<unknown>) | undefined
  readonly onProgress: SendManyRequest['onProgress']
  /** How long sends in flight may still take once the caller wants the run to end, in milliseconds. */
  readonly graceMs: number
  readonly runtime: MessagingRuntime
}

/**
 * One run of `sendMany`: reads a chunk, waits for a free slot, starts the send, reads on. So at most `concurrency` chunks
 * are in flight at any time, and one more has been read.
 */
export class SendManyRun {
  /** The first reason for ending early. */
  earlyEnd: EarlyEnd | undefined
  readonly #parts: SendManyRunParts
  /** Nothing more is read or started. */
  readonly #ended = new AbortController()
  /** The caller wants no further attempt, not even of sends in flight. */
  readonly #noNewAttempts = new AbortController()
  /** Sends in flight are cut off. */
  readonly #cutOff = new AbortController()
  readonly #patience: Patience
  readonly #refusals: Refusals
  readonly #progress: ProgressReporter
  readonly #sending = new Set<Promise<unknown>>()
  #slotsTaken = 0
  #unknownInARow = 0
  #maxBytes = MAX_BYTES
  #wakeReader: (() => void) | undefined
  #cancelGrace: (() => void) | undefined

  constructor(parts: SendManyRunParts) {
    this.#parts = parts
    const { patienceMs, runtime } = parts
    this.#patience = new Patience({ patienceMs, runtime, ended: this.#ended.signal })
    this.#refusals = new Refusals({
      onHopeless: (error) => this.end({ by: 'failure', error }),
      concurrency: parts.concurrency,
    })
    this.#progress = new ProgressReporter(parts.onProgress, (cause) =>
      this.end({ by: 'caller', through: 'onProgress', cause }),
    )
  }

  /**
   * Nothing more is read or started from here on. Sends in flight continue; if the caller wants the run to end, for
   * {@link SendManyRunParts.graceMs} at most.
   */
  end(reason: EarlyEnd): void {
    this.earlyEnd ??= reason
    this.#ended.abort()
    this.#wakeReader?.()
    if (reason.by !== 'caller' && reason.by !== 'close') return
    this.#noNewAttempts.abort()
    const cause = reason.by === 'close' ? reason.error : reason.cause
    const { graceMs, runtime } = this.#parts
    this.#cancelGrace ??= runtime.after(graceMs, () => this.#cutOff.abort(new CutOff(cause)))
  }

  /** Reads and starts chunks until the source or the run ends, even while the source has not answered. */
  async readAndStart(): Promise<void> {
    await Promise.race([this.#readToEnd(), untilAborted(this.#ended.signal)])
  }

  /** Closes the source, and waits for sends in flight and for `onProgress`. */
  async settle(): Promise<void> {
    await Promise.all([this.#parts.closeSource(), ...this.#sending])
    await Promise.race([this.#progress.delivered, untilAborted(this.#cutOff.signal)])
    this.#cancelGrace?.()
    const { hopeless } = this.#refusals
    if (hopeless && this.earlyEnd === undefined) this.earlyEnd = { by: 'failure', error: hopeless }
  }

  async #readToEnd(): Promise<void> {
    const { reader, tally } = this.#parts
    try {
      for (let index = 0; ; index += 1) {
        const chunk = await reader.next(() => this.earlyEnd === undefined)
        if (chunk === undefined) return
        const ranges = tally.plan(index, chunk.recipients.length)
        // The invalid recipients of a skipped chunk were reported by the run that sent it.
        if (ranges.length === 0 && chunk.recipients.length > 0) continue
        tally.noteInvalid(chunk.invalid)
        if (ranges.length === 0) continue
        await this.#freeSlot()
        if (this.earlyEnd !== undefined) return
        this.#start(index, chunk, ranges)
      }
    } catch (error) {
      this.end({ by: 'source', error: error as PpoppoError })
    }
  }

  async #freeSlot(): Promise<void> {
    while (this.#slotsTaken >= this.#parts.concurrency && this.earlyEnd === undefined) {
      await new Promise<void>((resolve) => {
        this.#wakeReader = resolve
      })
    }
  }

  #start(index: number, chunk: Chunk, ranges: readonly Range[]): void {
    this.#slotsTaken += 1
    this.#parts.tally.start(ranges)
    const sending = this.#send(index, chunk, ranges)
    this.#sending.add(sending)
    void sending
      .then((report) => {
        this.#sending.delete(sending)
        return this.#progress.report(this.#parts.tally.progress(report))
      })
      .then(() => this.#untilAnswered(index, chunk))
      .then(() => {
        this.#slotsTaken -= 1
        this.#wakeReader?.()
      })
  }

  async #send(index: number, chunk: Chunk, ranges: readonly Range[]): Promise<ChunkReport> {
    const sender = new ChunkSender({
      recipients: chunk.recipients,
      attempt: (recipients) => this.#attempt(index, recipients),
      refusals: this.#refusals,
      hasEnded: () => this.earlyEnd !== undefined,
    })
    return this.#parts.tally.settle({ index, chunk, sent: await sender.send(ranges) })
  }

  async #attempt(index: number, recipients: readonly Recipient[]): Promise<Attempt> {
    let context = this.#newContext()
    const send = (): Promise<SendReceipt> => {
      context = this.#newContext()
      return this.#parts.send(recipients, this.#cutOff.signal, context)
    }
    const isUndone = (error: unknown): boolean => outcomeOf(error, context.isInDoubt) === 'rejected'
    try {
      const receipt = await this.#patience.retry(send, isUndone, this.#reportPause(index, recipients.length))
      this.#unknownInARow = 0
      return { outcome: 'accepted', receipt }
    } catch (error) {
      const outcome = outcomeOf(error, context.isInDoubt)
      this.#learnFrom(error, outcome)
      return { outcome, error: toError(error) }
    }
  }

  #newContext(): SendContext {
    return { maxBytes: this.#maxBytes, noNewAttempts: this.#noNewAttempts.signal, isInDoubt: true }
  }

  #learnFrom(error: unknown, outcome: Attempt['outcome']): void {
    // PCS, or a gateway in front of it, accepts less than expected: later requests are kept below that.
    if (error instanceof TooLargeError && error.grpcCode !== undefined) {
      this.#maxBytes = Math.min(this.#maxBytes, Math.ceil(error.bytes * SMALLER))
    }
    this.#unknownInARow = isOutage(error) && outcome === 'unknown' ? this.#unknownInARow + 1 : 0
    if (!isPpoppoError(error) || isRefusal(error)) return
    const isTooUncertain = this.#unknownInARow >= Math.max(MAX_UNKNOWN_IN_A_ROW, 2 * this.#parts.concurrency)
    if (isTooUncertain || this.#patience.isOver || isCommonFailure(error, this.#refusals.areAboutRecipients))
      this.end({ by: 'failure', error })
  }

  /**
   * After a send with an unknown outcome, makes a call that is safe to retry until PCS answers, so that no further chunk is
   * put at risk. The slot stays taken meanwhile.
   */
  async #untilAnswered(index: number, { recipients }: Chunk): Promise<void> {
    const { probe } = this.#parts
    if (this.#unknownInARow === 0 || probe === undefined) return
    const ask = (): Promise<unknown> => probe(this.#ended.signal)
    await this.#patience
      .retry(ask, () => true, this.#reportPause(index, recipients.length))
      .catch((error: unknown) => {
        const isNowhere = isPpoppoError(error, 'messaging_misconfigured')
        if (isNowhere || (isOutage(error) && this.#patience.isOver)) this.end({ by: 'failure', error })
      })
  }

  /** Reports that the run is paused, once until PCS answers again. */
  #reportPause(index: number, recipients: number): OnAway {
    return (error, isFirst) => {
      if (!isFirst) return
      const paused = { error, since: new Date() }
      void this.#progress.report(this.#parts.tally.progress({ index, recipients, error }, paused))
    }
  }
}

function toError(error: unknown): Error {
  return error instanceof Error ? error : new Error('the send threw a value that is not an error', { cause: error })
}

/** Cuts off sends in flight. It wraps the caller's reason, since an error of the library would count as "provably not sent". */
class CutOff extends Error {
  override readonly name = 'AbortError'

  constructor(cause: unknown) {
    super('The send was cut off while in flight: it may have been accepted.', { cause })
  }
}
