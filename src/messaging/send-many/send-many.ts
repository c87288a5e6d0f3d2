import type { PpoppoError } from '../../errors.js'
import { onAbort } from '../../lib/on-abort.js'
import { LONG_RUN_OPTIONS, parseCallOptions, type SendContext } from '../call/call-options.js'
import { atMost } from '../lib/pause.js'
import { type MessagingRuntime, systemMessagingRuntime } from '../lib/runtime.js'
import type {
  CallOptions,
  Messaging,
  Recipient,
  SendManyReport,
  SendManyRequest,
  SendReceipt,
  SendRequest,
} from '../types/methods.js'
import { type CheckVars, toPlainRequest } from '../wire/defined-template.js'
import { ChunkReader } from './chunk-reader.js'
import { SendManyAbortError, SendManyError } from './error.js'
import { parseSendManyOptions, type SendManyOptions } from './options.js'
import { type EarlyEnd, SendManyRun } from './run.js'
import { SendManyTally } from './tally.js'

/*
 * From here down: `options.ts` checks the request; `run.ts` starts chunks as slots get free; `chunk-reader.ts` reads them,
 * `chunk-sender.ts` sends one and finds the recipients that PCS rejects, `patience.ts` waits while PCS is unavailable;
 * `chunk-outcome.ts` is the table of what a failure means. `tally.ts` counts, `leftovers.ts` knows where to resume.
 */

/** What {@link createSendMany} is made of. */
export interface SendManyParts {
  /** One send of up to 1,000 recipients including its retries. Ends soon after its signal is aborted. */
  readonly send: (request: SendRequest, options?: CallOptions, context?: SendContext) => Promise<SendReceipt>
  /** Makes a call to PCS that is safe to retry; rejects while PCS is unavailable. */
  readonly probe?: (signal: AbortSignal) => Promise<unknown>
  /** Checks that a recipient has everything the template needs. @throws `request_invalid` */
  readonly checkRecipient?: (templateId: string, recipient: Recipient) => void
  /** The runs that `close()` ends. */
  readonly runs?: OpenRuns
  /** Called before anything is read. @throws if nothing can be sent any more */
  readonly assertOpen?: () => void
  /** How long sends in flight may still take after an abort, in milliseconds. @default 2,000 */
  readonly abortGraceMs?: number
  /** Clock and timers. @default the real ones */
  readonly runtime?: MessagingRuntime
}

/** A source whose `return()` never settles must not keep a run from ending. */
const CLOSE_SOURCE_WITHIN_MS = 5_000
const ABORT_GRACE_MS = 2_000

/**
 * Sends to a list of any length in chunks, each ppnum once. `options.deadlineMs` applies to each chunk.
 *
 * It resolves when every chunk has been tried, and also when a failure that all chunks would meet (credentials, template,
 * quota, 8 sends in a row without an answer) stopped it: then `stoppedBy` holds that failure. A chunk that failed for good
 * is an entry with `error`. If PCS asks to wait (up to 10 minutes), the chunk is sent again after that.
 *
 * It rejects if the caller or the list ended it. Chunks in flight are awaited first (after an abort for 2 seconds, then
 * they are cut off and count as `unknown`), so the error's `report` has everything that was accepted:
 * @throws SendManyAbortError after an abort, or if `onProgress` threw
 * @throws SendManyError `recipients_source_failed`, `request_invalid` (an invalid recipient, with its index in the list),
 *   `messaging_not_configured`
 * @throws PpoppoError `request_invalid` for the request itself, before anything is read
 *
 * To resume after any of these, or after a crash, pass the same list and `chunkSize` with the last `resumeFrom`, `skipChunks`
 * and `resumeParts`. After a crash, chunks that `onProgress` had not reported are sent again: at most `concurrency` of them.
 *
 * @example
 * const sendMany = createSendMany({ send })
 * const report = await sendMany({ templateId, recipients: readCsv('people.csv'), onProgress: ({ accepted }) => draw(accepted) })
 */
export function createSendMany(parts: SendManyParts): Messaging['sendMany'] {
  const { runs = new OpenRuns() } = parts
  return async function sendMany(request, options) {
    const { signal, deadlineMs } = parseCallOptions(options, LONG_RUN_OPTIONS)
    const { request: plain, checkVars } = toPlainRequest(request)
    const settings = parseSendManyOptions(plain as SendManyRequest)
    parts.assertOpen?.()
    runs.assertOpen()
    const { run, tally } = createRun({ ...parts, recipients: request.recipients, checkVars, settings, deadlineMs })
    const unsubscribe =
      signal && onAbort(signal, () => run.end({ by: 'caller', through: 'signal', cause: signal.reason }))
    await runs.execute(run)
    unsubscribe?.()
    return conclude(run.earlyEnd, tally)
  }
}

interface RunParts extends SendManyParts {
  readonly recipients: unknown
  readonly checkVars: CheckVars | undefined
  readonly settings: SendManyOptions
  readonly deadlineMs: number | undefined
}

/** Wires a run: source, reader, tally, and the send of one chunk. */
function createRun(parts: RunParts): { readonly run: SendManyRun; readonly tally: SendManyTally } {
  const { send, probe, checkRecipient, abortGraceMs = ABORT_GRACE_MS, runtime = systemMessagingRuntime } = parts
  const { recipients: source, checkVars, settings, deadlineMs } = parts
  const { templateId, poll, onProgress, concurrency, chunkSize, patienceMs } = settings
  const reader = new ChunkReader({
    recipients: source,
    chunkSize,
    checkVars,
    isSkipping: settings.onInvalidRecipient === 'skip',
    check: checkRecipient && ((recipient) => checkRecipient(templateId, recipient)),
  })
  const tally = new SendManyTally(reader, settings)
  const run = new SendManyRun({
    reader,
    tally,
    closeSource: () => atMost(CLOSE_SOURCE_WITHIN_MS, reader.close(), runtime),
    concurrency,
    patienceMs,
    send: (recipients, cutOff, context) =>
      send(
        { templateId, recipients, ...(poll !== undefined && { poll }) },
        { signal: cutOff, ...(deadlineMs !== undefined && { deadlineMs }) },
        context,
      ),
    probe,
    onProgress,
    graceMs: abortGraceMs,
    runtime,
  })
  return { run, tally }
}

function conclude(end: EarlyEnd | undefined, tally: SendManyTally): SendManyReport {
  if (end === undefined) return tally.report()
  if (end.by === 'caller') throw new SendManyAbortError(end.through, end.cause, tally.report())
  // Missing credentials are a setup error, so reject instead of reporting.
  if (end.by === 'source' || end.error.code === 'messaging_not_configured') {
    throw new SendManyError(end.error, tally.report())
  }
  return tally.report(end.error)
}

/** The runs in progress, so that `close()` can end them in good order. */
export class OpenRuns {
  readonly #running = new Map<SendManyRun, Promise<void>>()
  #closing: PpoppoError | undefined

  /** @throws `closed` once {@link end} was called */
  assertOpen(): void {
    if (this.#closing) throw this.#closing
  }

  /** Executes a run to its end. */
  async execute(run: SendManyRun): Promise<void> {
    const running = run.readAndStart().then(() => run.settle())
    this.#running.set(run, running)
    try {
      await running
    } finally {
      this.#running.delete(run)
    }
  }

  /** Ends all runs as an abort does: nothing more is started, and sends in flight get their grace. Resolves when all ended. */
  async end(error: PpoppoError): Promise<void> {
    this.#closing ??= error
    for (const run of this.#running.keys()) run.end({ by: 'close', error })
    await Promise.allSettled(this.#running.values())
  }
}
