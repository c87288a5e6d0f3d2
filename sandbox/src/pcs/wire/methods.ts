/** Every method that answers, by the name after the slash. They are counted, and can be made to fail, one by one. */
export const PCS_METHODS = [
  'CreateSendRequest',
  'GetSendRequestStatus',
  'StreamSendRequestEvents',
  'CreateTemplate',
  'GetPollResults',
  'ListPollResponses',
  'GetAppStats',
] as const
export type PcsMethod = (typeof PCS_METHODS)[number]

export function isPcsMethod(value: unknown): value is PcsMethod {
  return PCS_METHODS.some((method) => method === value)
}

/** How often each method was called, faults included. */
export type PcsCounters = Record<PcsMethod, number>

export function createPcsCounters(): PcsCounters {
  return {
    CreateSendRequest: 0,
    GetSendRequestStatus: 0,
    StreamSendRequestEvents: 0,
    CreateTemplate: 0,
    GetPollResults: 0,
    ListPollResponses: 0,
    GetAppStats: 0,
  }
}
