/*
 * The names of Ppoppo's Messaging API on the wire (wire facts: Ppoppo's Messaging reference and the official crates),
 * in one place. Shapes of requests and answers are in `convert.ts`.
 */

/** The package: the documented name, and the one a newer crate uses. The first that the descriptor knows counts. */
export const PACKAGES: readonly string[] = ['chat.external', 'pcs.external.v1']

/** A method of the API, as the client calls it. */
export type MethodName =
  | 'createSendRequest'
  | 'getSendRequestStatus'
  | 'streamSendRequestEvents'
  | 'createTemplate'
  | 'getPollResults'
  | 'listPollResponses'
  | 'getAppStats'

/** A method on the wire, and the fields the client cannot do without. */
export interface WireMethod {
  readonly service: string
  readonly method: string
  readonly sends: readonly string[]
  readonly reads: readonly string[]
}

export const METHODS: Readonly<Record<MethodName, WireMethod>> = {
  createSendRequest: {
    service: 'ExternalMessageService',
    method: 'CreateSendRequest',
    sends: ['template_id', 'recipients'],
    reads: ['id', 'status', 'total_recipients'],
  },
  getSendRequestStatus: {
    service: 'ExternalMessageService',
    method: 'GetSendRequestStatus',
    sends: ['id'],
    reads: ['status', 'total', 'delivered', 'pending_consent', 'failed'],
  },
  streamSendRequestEvents: {
    service: 'ExternalMessageService',
    method: 'StreamSendRequestEvents',
    sends: ['send_request_id', 'after_event_id'],
    reads: ['event_id', 'event_type'],
  },
  createTemplate: {
    service: 'ExternalTemplateService',
    method: 'CreateTemplate',
    sends: ['name', 'components'],
    reads: ['id', 'name', 'is_active', 'version', 'created_at'],
  },
  getPollResults: {
    service: 'ExternalAppService',
    method: 'GetPollResults',
    sends: ['poll_id'],
    reads: ['poll_id', 'question', 'results', 'total_responses'],
  },
  listPollResponses: {
    service: 'ExternalAppService',
    method: 'ListPollResponses',
    sends: ['poll_id', 'limit', 'cursor'],
    reads: ['responses', 'has_more', 'next_cursor'],
  },
  getAppStats: {
    service: 'ExternalAppService',
    method: 'GetAppStats',
    sends: [],
    reads: ['id', 'name', 'is_active'],
  },
}
