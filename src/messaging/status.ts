import type { Caller } from './client.js'
import { fromSendStatus } from './convert.js'
import type { Messaging } from './types.js'
import { parseId } from './validate.js'

/** How a send stands. */
export function createStatus(caller: Caller): Messaging['status'] {
  return async function status(id, options) {
    caller.assertUsable()
    const checked = parseId(id, 'id')
    const asked = { operation: `status of ${checked}`, kind: 'read' } as const
    return fromSendStatus(id, await caller.unary('getSendRequestStatus', () => ({ id: checked }), asked, options))
  }
}
