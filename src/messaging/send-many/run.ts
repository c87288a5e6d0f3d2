import { setMaxListeners } from 'node:events'
import { isPpoppoError, type PpoppoError } from '../../errors.js'
import { TooLargeError } from '../call/failure.js'
import type { SendContext } from '../call/send-context.js'
import type { ChunkReport, Recipient, SendManyRequest, SendReceipt } from '../types/calls.js'
import { isCommonFailure, isOutage, isRefusal, outcomeOf, Patience } from './chunk-outcome.js'
import type { Chunk, ChunkReader } from './chunk-reader.js'
import { type Attempt, ChunkSender, type Range } from './chunk-sender.js'
import { ProgressTeller } from './progress-teller.js'
import { Refusals } from './refusals.js'
import type { SendManyTally } from './tally.js'

/** So many sends in a row of which nobody knows what became of them end the run. */
const UNKNOWN_TO_END = 8
/** What servers take by default: grpc-js, Go, Java, C++ and tonic alike. */
const MOST_BYTES = 4 * 1024 * 1024
/** Of a size that was refused, what is tried next: a little more than half, so that both halves pass. */
const SMALLER = 0.6

/** Why a run ended before its source did. */
export type EarlyEnd =
  | { readonly by: 'caller'; readonly through: 'signal' | 'onProgress'; readonly cause: unknown }
  | { readonly by: 'source'; readonly error: PpoppoError }
  | { readonly by: 'failure'; readonly error: PpoppoError }
  /** The client is being closed. */
  | { readonly by: 'close'; readonly error: PpoppoError }

/** What a run is made of. */
export interface SendManyParts {
  readonly reader: ChunkReader
  readonly tally: SendManyTally
  readonly closeSource: () => Promise<unknown>
  readonly concurrency: number
  readonly patienceMs: number
  /** One send to the end, repeats included; `cutOff` ends it in the middle. */
  readonly send: (recipients: readonly Recipient[], cutOff: AbortSignal, context: SendContext) => Promise<SendReceipt>
  /** Asks PCS something that may be asked any number of times. */
  readonly probe: ((signal: AbortSignal) => Promise<unknown>) | undefined
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
  /** The caller wants no further attempt, of sends under way neither. */
  readonly #noMore = new AbortController()
  readonly #cutOff = new AbortController()
  readonly #patience: Patience
  readonly #refusals: Refusals
  readonly #teller: ProgressTeller
  readonly #sending = new Set<Promise<unknown>>()
  #placesTaken = 0
  #unknownInARow = 0
  #mostBytes = MOST_BYTES
  #placeIsFree: () => void = () => {}
  #grace: NodeJS.Timeout | undefined

  constructor(parts: SendManyParts) {
    this.#parts = parts
    // As many sends and pauses as there are places listen to them: no leak.
    setMaxListeners(0, this.#ended.signal, this.#noMore.signal, this.#cutOff.signal)
    this.#patience = new Patience({
      patienceMs: parts.patienceMs,
      ended: this.#ended.signal,
      now: () => performance.now(),
    })
    this.#refusals = new Refusals((error) => this.end({ by: 'failure', error }), parts.concurrency)
    this.#teller = new ProgressTeller(parts.onProgress, (cause) =>
      this.end({ by: 'caller', through: 'onProgress', cause }),
    )
  }

  /**
   * Nothing more is read or started from here on. Sends under way go on, but where the caller wants an end for
   * {@link SendManyParts.graceMs} at most.
   */
  end(reason: EarlyEnd): void {
    this.earlyEnd ??= reason
    this.#ended.abort()
    this.#placeIsFree()
    if (reason.by !== 'caller' && reason.by !== 'close') return
    this.#noMore.abort()
    const cause = reason.by === 'close' ? reason.error : reason.cause
    this.#grace ??= setTimeout(() => this.#cutOff.abort(new CutOff(cause)), this.#parts.graceMs)
  }

  /** Reads and starts chunks until the source is at its end, or the run is: also while the source keeps us waiting. */
  async readAndStart(): Promise<void> {
    await Promise.race([this.#readToEnd(), aborted(this.#ended.signal)])
  }

  /** Closes the source, waits for the sends under way, and for what `onProgress` still does. */
  async settle(): Promise<void> {
    await Promise.all([this.#parts.closeSource(), ...this.#sending])
    await Promise.race([this.#teller.told, aborted(this.#cutOff.signal)])
    clearTimeout(this.#grace)
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
        // Those in a chunk that is left out were told by the run that sent it.
        if (ranges.length === 0 && chunk.recipients.length > 0) continue
        tally.noteWrong(chunk.invalid)
        if (ranges.length === 0) continue
        await this.#place()
        if (this.earlyEnd !== undefined) return
        this.#start(index, chunk, ranges)
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

  #start(index: number, chunk: Chunk, ranges: readonly Range[]): void {
    this.#placesTaken += 1
    this.#parts.tally.start(ranges)
    const sending = this.#send(index, chunk, ranges)
    this.#sending.add(sending)
    void sending
      .then((report) => {
        this.#sending.delete(sending)
        return this.#teller.tell(this.#parts.tally.progress(report))
      })
      .then(() => this.#untilAnswered(index, chunk))
      .then(() => {
        this.#placesTaken -= 1
        this.#placeIsFree()
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
    const chunk = { index, recipients: recipients.length }
    try {
      const receipt = await this.#patience.retry(send, isUndone, (error, isFirst) => {
        if (isFirst) this.#tellPause({ ...chunk, error }, error)
      })
      this.#unknownInARow = 0
      return { outcome: 'accepted', receipt }
    } catch (error) {
      const outcome = outcomeOf(error, context.isInDoubt)
      this.#learnFrom(error, outcome)
      return { outcome, error: toError(error) }
    }
  }

  #newContext(): SendContext {
    return { mostBytes: this.#mostBytes, noMore: this.#noMore.signal, isInDoubt: true }
  }

  #learnFrom(error: unknown, outcome: Attempt['outcome']): void {
    // PCS, or a gateway before it, takes less than we thought: all later ones are cut so that they pass.
    if (error instanceof TooLargeError && error.grpcCode !== undefined) {
      this.#mostBytes = Math.min(this.#mostBytes, Math.ceil(error.bytes * SMALLER))
    }
    this.#unknownInARow = isOutage(error) && outcome === 'unknown' ? this.#unknownInARow + 1 : 0
    if (!isPpoppoError(error) || isRefusal(error)) return
    const isSpent = this.#unknownInARow >= Math.max(UNKNOWN_TO_END, 2 * this.#parts.concurrency)
    if (isSpent || this.#patience.isOver || isCommonFailure(error, this.#refusals.areAboutRecipients))
      this.end({ by: 'failure', error })
  }

  /**
   * After a send of which nobody knows: before another one is spent, something is asked that may be asked again, until
   * it is answered. The place is taken meanwhile.
   */
  async #untilAnswered(index: number, { recipients }: Chunk): Promise<void> {
    const { probe } = this.#parts
    if (this.#unknownInARow === 0 || probe === undefined) return
    const chunk = { index, recipients: recipients.length }
    await this.#patience
      .retry(
        () => probe(this.#ended.signal),
        () => true,
        (error, isFirst) => {
          if (isFirst) this.#tellPause({ ...chunk, error }, error)
        },
      )
      .catch((error: unknown) => {
        const isNowhere = isPpoppoError(error, 'messaging_misconfigured')
        if (isNowhere || (isOutage(error) && this.#patience.isOver)) this.end({ by: 'failure', error })
      })
  }

  #tellPause(chunk: ChunkReport, error: Error): void {
    void this.#teller.tell(this.#parts.tally.progress(chunk, { error, since: new Date() }))
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
