import { isJsonObject } from '../../lib/json.js'
import { parseSend } from '../state/parse-send.js'
import { launch } from '../state/progress.js'
import { GrpcError } from '../wire/grpc-error.js'
import { requestBytesOf } from '../wire/request-bytes.js'
import type { Work } from './answer-call.js'

/** No enum of the documentation has it: clients must not take it for another value. */
export const UNKNOWN_ENUM = 99

export const createSendRequest: Work = (state, request, fault) => {
  const input = parseSend(request)
  state.templates.requireActive(input.templateId)
  state.account.spend(input.recipients.length)
  const send = state.sends.accept(input, fault?.kind === 'fail-request', requestBytesOf(request))
  launch(state, send)
  const status = fault?.kind === 'unknown-enum' ? UNKNOWN_ENUM : send.status
  return { id: send.id, status, total_recipients: send.total }
}

export const getSendRequestStatus: Work = (state, request, fault) => {
  const id = isJsonObject(request) ? String(request['id'] ?? '') : ''
  const send = state.sends.find(id)
  if (send === undefined) throw new GrpcError('NOT_FOUND', `send request "${id}" does not exist`)
  return {
    status: fault?.kind === 'unknown-enum' ? UNKNOWN_ENUM : send.status,
    total: send.total,
    delivered: send.delivered,
    pending_consent: send.pendingConsent,
    failed: send.failed,
  }
}
