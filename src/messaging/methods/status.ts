import { isPpoppoError, PpoppoError } from '../../errors.js'
import { LONG_RUN_OPTIONS, parseCallOptions } from '../call/call-options.js'
import type { Caller } from '../call/caller.js'
import type { Method } from '../descriptor/descriptor.js'
import type { Messaging, SendStatus } from '../types/methods.js'
import { toNumber, toStatus, type Wire } from '../wire/convert.js'
import { parseId } from '../wire/validate.js'

/** State of a send. */
export function createStatus(caller: Caller): Messaging['status'] {
  return async function status(id, options) {
    caller.assertUsable()
    const checked = parseId(id, 'id')
    const asked = { operation: `status of ${checked}`, kind: 'read' } as const
    const encode = (method: Method): Buffer => method.serialize({ id: checked })
    return fromSendStatus(id, await caller.unary('getSendRequestStatus', encode, asked, options))
  }
}

function fromSendStatus(id: string, wire: Wire): SendStatus {
  return {
    id,
    status: toStatus(wire['status']),
    total: toNumber(wire['total']),
    delivered: toNumber(wire['delivered']),
    pendingConsent: toNumber(wire['pending_consent']),
    failed: toNumber(wire['failed']),
  }
}

const DEADLINE_MS = 600_000
const FIRST_PAUSE_MS = 500
const LONGEST_PAUSE_MS = 15_000

/** What {@link createWaitFor} is made of. */
export interface WaitForParts {
  readonly caller: Caller
  readonly status: Messaging['status']
}

/**
 * Polls the status of a send until it is `completed` or `failed`, at first every half second, later every 15 s. Transient
 * errors do not end it.
 * @throws `deadline_exceeded` with the last known status; and every error of `status` that is not transient
 */
export function createWaitFor({ caller, status }: WaitForParts): Messaging['waitFor'] {
  return async function waitFor(id, given) {
    caller.assertUsable()
    const options = parseCallOptions(given, LONG_RUN_OPTIONS)
    const scope = caller.openScope(options, DEADLINE_MS)
    let last: SendStatus | undefined
    try {
      for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(LONGEST_PAUSE_MS, pauseMs * 1.5)) {
        const remainingMs = scope.remainingMs()
        if (remainingMs <= 0) throw tooLong(id, last)
        const asked = await askOnce(id, Math.min(remainingMs, caller.config.deadlineMs))
        if (!isPpoppoError(asked)) last = asked
        if (last?.status === 'completed' || last?.status === 'failed') return last
        // An app that waits for many sends must not poll all of them at the same moment.
        const spreadMs = pauseMs * (0.8 + caller.runtime.random() * 0.4)
        const nextMs = Math.max(spreadMs, isPpoppoError(asked) ? (asked.retryAfterMs ?? 0) : 0)
        if (nextMs >= scope.remainingMs()) throw tooLong(id, last)
        await scope.pause(nextMs)
      }
    } finally {
      scope.dispose()
    }

    async function askOnce(sendId: string, deadlineMs: number): Promise<SendStatus | PpoppoError> {
      try {
        return await status(sendId, { deadlineMs, ...(options.signal ? { signal: options.signal } : {}) })
      } catch (error) {
        if (isPpoppoError(error) && error.retryable) return error
        throw error
      }
    }
  }
}

function tooLong(id: string, last: SendStatus | undefined): PpoppoError {
  const stood = last ? `it was ${last.status}, ${last.delivered} of ${last.total} delivered` : 'no answer came'
  return new PpoppoError('deadline_exceeded', `waitFor: ${id} did not complete in time; ${stood}. Call status() later.`)
}
