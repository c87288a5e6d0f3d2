/** Every rpc, by its service. The only list of them: the server, the counters and the faults go by it. */
export const PCS_SERVICES = {
  messages: ['CreateSendRequest', 'GetSendRequestStatus', 'StreamSendRequestEvents'],
  templates: ['CreateTemplate'],
  app: ['GetPollResults', 'ListPollResponses', 'GetAppStats'],
} as const

export type PcsService = keyof typeof PCS_SERVICES

/** The name of an rpc, as in the path, after the slash. Each is counted, and can be made to fail, on its own. */
export type PcsMethod = (typeof PCS_SERVICES)[PcsService][number]

export const PCS_METHODS: readonly PcsMethod[] = Object.values(PCS_SERVICES).flat()

export function isPcsMethod(value: unknown): value is PcsMethod {
  return PCS_METHODS.some((method) => method === value)
}

/** How often each method was called, faults included. */
export type PcsCounters = Record<PcsMethod, number>

export function createPcsCounters(): PcsCounters {
  return Object.fromEntries(PCS_METHODS.map((method) => [method, 0])) as PcsCounters
}
