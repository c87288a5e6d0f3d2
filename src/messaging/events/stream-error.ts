import { PpoppoError, type PpoppoErrorCode } from '../../errors.js'
import type { Caller } from '../call/caller.js'
import { isTooLarge } from '../call/retry-policy.js'
import { type CallFailure, CODE } from '../call/status.js'
import type { Verdict } from './judge-end.js'

/** What was asked for, for the words of an error. */
export interface AskedStream {
  /** E.g. `events`. */
  readonly operation: string
  readonly sendRequestId?: string
  /** The event to go on after. */
  readonly cursor?: string
}

/** The error for a stream that ended so. */
export function toStreamError(
  caller: Caller,
  failure: CallFailure,
  asked: AskedStream,
  because: Extract<Verdict, { next: 'fail' }>['because'] = 'answer',
): PpoppoError {
  const { operation, sendRequestId } = asked
  const told = caller.toError(failure, { operation, kind: 'read' }, 1)
  const says = told.cause instanceof Error ? told.cause.message : `gRPC status ${failure.code}`
  const another = (code: PpoppoErrorCode, text: string): PpoppoError =>
    new PpoppoError(code, `${operation}: ${text}`, { grpcCode: failure.code, cause: told.cause })

  if (because === 'cursor_refused') {
    const what = sendRequestId === undefined ? 'it' : `it, or the send request ${sendRequestId}`
    return another(
      'cursor_lost',
      `PCS cannot go on after event ${shown(asked.cursor)}: it does not know ${what} (any more) (${says}). Begin without "after" (a consumer: set "onCursorLost"), and look up with status() what was missed.`,
    )
  }
  if (because === 'cursor_failed') {
    return another(
      'cursor_lost',
      `the stream after event ${shown(asked.cursor)} failed again and again without an event (${says}). Begin without "after" (a consumer: set "onCursorLost"), and tell Ppoppo.`,
    )
  }
  if (failure.code === CODE.alreadyExists) {
    return another(
      'messaging_response_invalid',
      `PCS answered in a way that says nothing (${says}). Check PCS_API_URL.`,
    )
  }
  if (isTooLarge(failure)) {
    return another('messaging_response_invalid', `PCS sent an event that is too large (${says}). Tell Ppoppo.`)
  }
  return told
}

/** Ids are the server's: only what surely is one goes into a message. */
function shown(id: string | undefined): string {
  return id !== undefined && /^[\w.:-]{1,64}$/.test(id) ? id : '(odd id)'
}
