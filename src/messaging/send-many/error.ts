import { PpoppoError } from '../../errors.js'
import type { SendManyReport } from '../types/calls.js'

/**
 * `sendMany` could not read its recipients to the end: `recipients_source_failed` (they threw; `cause` says what) or
 * `request_invalid` (one of them is not a recipient); or it is not set up, `messaging_not_configured`. What was accepted before is in `report`.
 */
export class SendManyError extends PpoppoError {
  readonly report: SendManyReport

  constructor(reason: PpoppoError, report: SendManyReport) {
    super(reason.code, reason.message, reason)
    this.report = report
  }
}

/**
 * `sendMany` was ended by its `signal` or by a throw of `onProgress`; `cause` is the reason of the one, or what the
 * other threw. Named as Node names its own: no failure, but what the caller wanted.
 */
export class SendManyAbortError extends Error {
  override readonly name = 'AbortError'
  readonly code = 'ABORT_ERR'
  readonly report: SendManyReport

  constructor(by: 'signal' | 'onProgress', cause: unknown, report: SendManyReport) {
    super(`sendMany was ended by ${by === 'signal' ? 'its signal' : 'onProgress'}; error.report says what was sent.`, {
      cause,
    })
    this.report = report
  }
}
