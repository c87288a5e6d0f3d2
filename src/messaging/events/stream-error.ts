import { PpoppoError, type PpoppoErrorCode } from '../../errors.js'
import type { Caller } from '../call/caller.js'
import { isTooLarge } from '../call/retry-policy.js'
import { type CallFailure, CODE } from '../call/status.js'
import type { Verdict } from './reopen-policy.js'

/** What was asked for, to name it in an error. */
export interface AskedStream {
  /** Names the reader: `events`. */
  readonly operation: string
  readonly sendRequestId?: string
  /** The event to resume behind. */
  readonly cursor?: string
}

/** The error for a stream that failed. @param because as decided by `judgeEnd` */
export function toStreamError(
  caller: Caller,
  failure: CallFailure,
  asked: AskedStream,
  because: Extract<Verdict, { next: 'fail' }>['because'] = 'answer',
): PpoppoError {
  const { operation, sendRequestId } = asked
  const general = caller.toError(failure, { operation, kind: 'read' }, 1)
  const says = general.cause instanceof Error ? general.cause.message : `gRPC status ${failure.code}`
  const another = (code: PpoppoErrorCode, text: string): PpoppoError =>
    new PpoppoError(code, `${operation}: ${text}`, { grpcCode: failure.code, cause: general.cause })

  if (because === 'cursor_refused') {
    const what = sendRequestId === undefined ? 'it' : `it, or the send request ${sendRequestId}`
    return another(
      'cursor_lost',
      `PCS cannot continue after event ${shown(asked.cursor)}: it does not know ${what} (or no longer does) (${says}). Start without "after" (a consumer: set "onCursorLost"), and look up with status() what was missed.`,
    )
  }
  if (because === 'cursor_failed') {
    return another(
      'cursor_lost',
      `the stream after event ${shown(asked.cursor)} failed repeatedly without an event (${says}). Start without "after" (a consumer: set "onCursorLost"), and report it to Ppoppo.`,
    )
  }
  if (failure.code === CODE.alreadyExists) {
    return another(
      'messaging_response_invalid',
      `PCS sent an answer that makes no sense for a stream (${says}). Check PCS_API_URL.`,
    )
  }
  if (isTooLarge(failure)) {
    return another('messaging_response_invalid', `PCS sent an event that is too large (${says}). Report it to Ppoppo.`)
  }
  return general
}

/** Ids come from the server: only what certainly is one goes into a message. */
function shown(id: string | undefined): string {
  return id !== undefined && /^[\w.:-]{1,64}$/.test(id) ? id : '(odd id)'
}
