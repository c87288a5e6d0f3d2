import { onAbort } from '../../lib/on-abort.js'
import { within } from '../../lib/wait.js'
import { parseCallOptions } from '../call/call-options.js'
import type { SendContext } from '../call/send-context.js'
import type { CallOptions, Messaging, Recipient, SendManyReport, SendReceipt, SendRequest } from '../types/calls.js'
import { ChunkReader } from './chunk-reader.js'
import { SendManyAbortError, SendManyError } from './error.js'
import { OpenRuns } from './open-runs.js'
import { parseSendManyOptions } from './options.js'
import { RecipientSource } from './recipient-source.js'
import { type EarlyEnd, SendManyRun } from './run.js'
import { SendManyTally } from './tally.js'

/** What {@link createSendMany} stands on. */
export interface SendManyDependencies {
  /** One send of up to 1,000 recipients, repeats included. Ends soon after its signal does. */
  readonly send: (request: SendRequest, options?: CallOptions, context?: SendContext) => Promise<SendReceipt>
  /** Asks PCS something that may be asked any number of times; rejects while PCS is away. */
  readonly probe?: (signal: AbortSignal) => Promise<unknown>
  /** Whether a recipient has all that the template asks of it. @throws `request_invalid` */
  readonly checkRecipient?: (templateId: string, recipient: Recipient) => void
  /** Those that `close()` ends. */
  readonly runs?: OpenRuns
  /** @throws where nothing can be sent any more; asked before anything is read */
  readonly assertOpen?: () => void
  /** How long sends under way may still take after an abort, in milliseconds. @default 2,000 */
  readonly abortGraceMs?: number
}

/** A source whose `return()` never ends must not keep a run from ending. */
const CLOSE_SOURCE_WITHIN_MS = 5_000

/**
 * Sends to a list of any length, in chunks, each ppnum once. `options.deadlineMs` is for each chunk.
 *
 * It resolves when every chunk has been tried, and also when a failure that all chunks would meet (credentials,
 * template, quota, nobody answers 8 sends in a row) made it stop: `stoppedBy` says which. A chunk that failed for good
 * is an entry with `error`; one that PCS asks to wait with (up to 10 minutes) is sent again after that.
 *
 * It rejects when the caller or the list ended it; chunks under way are waited for first (after an abort for 2 seconds,
 * then they are cut off and count as `unknown`), so that the error's `report` knows of everything that was accepted:
 * @throws SendManyAbortError after an abort, and after a throw of `onProgress`.
 * @throws SendManyError `recipients_source_failed`, `request_invalid` (an invalid recipient, by its index in the list),
 *   `messaging_not_configured`.
 * @throws PpoppoError `request_invalid` for the request itself, before anything is read.
 *
 * To go on after any of these, and after a crash, give the same list, `chunkSize`, and the last `resumeFrom` and
 * `skipChunks`. After a crash this sends chunks again that `onProgress` had not reported, at most `concurrency` of them.
 *
 * @example
 * const sendMany = createSendMany({ send })
 * const report = await sendMany({ templateId, recipients: readCsv('people.csv'), onProgress: ({ accepted }) => draw(accepted) })
 */
export function createSendMany({
  send,
  probe,
  assertOpen,
  checkRecipient,
  runs = new OpenRuns(),
  abortGraceMs = 2_000,
}: SendManyDependencies): Messaging['sendMany'] {
  return async function sendMany(request, options) {
    const { signal, deadlineMs } = parseCallOptions(options)
    const { concurrency, chunkSize, onInvalidRecipient, patienceMs, ...from } = parseSendManyOptions(request)
    assertOpen?.()
    runs.assertOpen()
    const { templateId, poll, onProgress } = request
    const source = new RecipientSource(request.recipients)
    const reader = new ChunkReader(source, chunkSize, {
      isSkipping: onInvalidRecipient === 'skip',
      check: checkRecipient && ((recipient) => checkRecipient(templateId, recipient)),
    })
    const tally = new SendManyTally(reader, from)
    const run = new SendManyRun({
      reader,
      tally,
      closeSource: () => within(source.close(), CLOSE_SOURCE_WITHIN_MS),
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
    })

    const release = signal && onAbort(signal, () => run.end({ by: 'caller', through: 'signal', cause: signal.reason }))
    await runs.track(run, async () => {
      await run.readAndStart()
      await run.settle()
    })
    release?.()
    return conclude(run.earlyEnd, tally)
  }
}

function conclude(end: EarlyEnd | undefined, tally: SendManyTally): SendManyReport {
  if (end === undefined) return tally.report()
  if (end.by === 'caller') throw new SendManyAbortError(end.through, end.cause, tally.report())
  // Nobody has said yet as whom to send: no outcome of a run, and every call rejects with it.
  const isSetUp = end.error.code !== 'messaging_not_configured'
  if (end.by === 'source' || !isSetUp) throw new SendManyError(end.error, tally.report())
  return tally.report(end.error)
}
