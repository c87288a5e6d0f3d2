import type { UntypedHandleCall } from '@grpc/grpc-js'
import type { PcsState } from '../state/pcs-state.js'
import type { PcsMethod } from '../wire/methods.js'
import { unary, type Work } from './answer-call.js'
import { createTemplate, getAppStats, getPollResults, listPollResponses } from './app-methods.js'
import { createSendRequest, getSendRequestStatus } from './message-methods.js'
import { streamEvents } from './stream-events.js'

const UNARY: { readonly [M in Exclude<PcsMethod, 'StreamSendRequestEvents'>]: Work } = {
  CreateSendRequest: createSendRequest,
  GetSendRequestStatus: getSendRequestStatus,
  CreateTemplate: createTemplate,
  GetPollResults: getPollResults,
  ListPollResponses: listPollResponses,
  GetAppStats: getAppStats,
}

/** What grpc-js calls for an rpc. */
export function implement(state: PcsState, method: PcsMethod): UntypedHandleCall {
  return method === 'StreamSendRequestEvents' ? streamEvents(state) : unary(state, method, UNARY[method])
}
