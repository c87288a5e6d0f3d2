import { PpoppoError } from '../../errors.js'
import type { SendManyReport } from '../types/methods.js'

/**
 * `sendMany` stopped early. `recipients_source_failed`: the source threw (see `cause`). `request_invalid`: one of the
 * recipients is invalid. `messaging_not_configured`: the credentials are missing. `report` holds the partial result.
 */
export class SendManyError extends PpoppoError {
  /** The partial result. */
  readonly report: SendManyReport

  constructor(reason: PpoppoError, report: SendManyReport) {
    super(reason.code, reason.message, reason)
    this.report = report
  }
}

/**
 * `sendMany` was aborted by its `signal`, or because `onProgress` threw; `cause` is the abort reason, or what was thrown.
 * `name` and `code` are those of Node's own AbortError, since the caller asked for it.
 */
export class SendManyAbortError extends Error {
  /** As Node names its own. */
  override readonly name = 'AbortError'
  /** As in Node's own. */
  readonly code = 'ABORT_ERR'
  /** The partial result. */
  readonly report: SendManyReport

  constructor(by: 'signal' | 'onProgress', cause: unknown, report: SendManyReport) {
    super(
      `sendMany was aborted by ${by === 'signal' ? 'its signal' : 'onProgress'}; error.report holds the partial result.`,
      {
        cause,
      },
    )
    this.report = report
  }
}
