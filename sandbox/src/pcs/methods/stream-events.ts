import { type handleServerStreamingCall, Metadata, type ServerWritableStream } from '@grpc/grpc-js'
import { isJsonObject } from '../../lib/json.js'
import type { StreamRequest } from '../state/open-stream.js'
import type { PcsState } from '../state/pcs-state.js'
import { GrpcError, toServiceError } from '../wire/grpc-error.js'
import { admit, drawFault } from './answer-call.js'
import { EventStream } from './event-stream.js'
import { spoilCall } from './spoil-call.js'

type Call = ServerWritableStream<unknown, unknown>

/** `StreamSendRequestEvents`: what was missed, then each event as it comes, until one side ends it. */
export function streamEvents(state: PcsState): handleServerStreamingCall<unknown, unknown> {
  return (call) => {
    open(state, call).catch((error: unknown) => call.emit('error', toServiceError(error)))
  }
}

async function open(state: PcsState, call: Call): Promise<void> {
  const fault = await drawFault(state, 'StreamSendRequestEvents', call)
  const isForLater = fault?.events !== undefined
  if (fault !== undefined && !isForLater && spoilCall(state, call, fault)) return
  admit(state, call)
  const request = parseRequest(state, call.request)
  if (call.cancelled) return
  // So that a client knows it is heard; else its headers come with the first event, which may be hours away.
  call.sendMetadata(new Metadata())
  await new EventStream(state, call, request, fault).run()
}

function parseRequest(state: PcsState, request: unknown): StreamRequest {
  const { send_request_id: sendRequestId, after_event_id: afterEventId } = isJsonObject(request) ? request : {}
  const isFiltered = typeof sendRequestId === 'string' && sendRequestId !== ''
  if (isFiltered && state.sends.find(sendRequestId) === undefined) {
    throw new GrpcError('NOT_FOUND', `send request "${sendRequestId}" does not exist`)
  }
  const hasCursor = typeof afterEventId === 'string' && afterEventId !== ''
  return {
    position: hasCursor ? positionAfter(state, afterEventId) : firstPosition(state),
    ...(isFiltered && { sendRequestId }),
    ...(hasCursor && { afterEventId }),
  }
}

function firstPosition({ events, switches }: PcsState): number {
  return switches.pcsStreamStart === 'all' ? events.start : events.end
}

function positionAfter({ events, switches }: PcsState, eventId: string): number {
  const position = events.positionAfter(eventId)
  if (position !== undefined) return position
  if (switches.pcsUnknownCursor === 'from-start') return events.start
  const code = switches.pcsUnknownCursor === 'not-found' ? 'NOT_FOUND' : 'OUT_OF_RANGE'
  throw new GrpcError(code, `event "${eventId}" is not known`)
}
