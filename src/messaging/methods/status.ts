import type { Caller } from '../call/caller.js'
import type { Messaging } from '../types/calls.js'
import { fromSendStatus } from '../wire/convert.js'
import { parseId } from '../wire/validate.js'

/** How a send stands. */
export function createStatus(caller: Caller): Messaging['status'] {
  return async function status(id, options) {
    caller.assertUsable()
    const checked = parseId(id, 'id')
    const asked = { operation: `status of ${checked}`, kind: 'read' } as const
    return fromSendStatus(id, await caller.unary('getSendRequestStatus', () => ({ id: checked }), asked, options))
  }
}
