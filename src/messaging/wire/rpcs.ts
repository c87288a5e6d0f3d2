/*
 * The names of Ppoppo's Messaging API on the wire (wire facts: Ppoppo's Messaging reference and the official crates),
 * in one place. Requests and answers are converted where a method is called, in `methods/`.
 */

/** The role of a service, whatever a contract calls it. */
export type ServiceRole = 'message' | 'template' | 'app'

/** One set of names that the vendor uses: a package and its services. */
export interface Contract {
  readonly packageName: string
  readonly services: Readonly<Record<ServiceRole, string>>
}

/** The documented contract, and the vendor's newest. If a descriptor or a server has both, the first is used. */
export const CONTRACTS: readonly Contract[] = [
  {
    packageName: 'chat.external',
    services: {
      message: 'ExternalMessageService',
      template: 'ExternalTemplateService',
      app: 'ExternalAppService',
    },
  },
  {
    packageName: 'pcs.external.v1',
    services: { message: 'MessageService', template: 'TemplateService', app: 'AppService' },
  },
]

/** Full name of a service. */
export function serviceOf({ packageName, services }: Contract, role: ServiceRole): string {
  return `${packageName}.${services[role]}`
}

/**
 * The contract that these services belong to: one that can send, else one that has any service of the client.
 * @param names full names of services
 */
export function contractAmong(names: readonly string[]): Contract | undefined {
  const isThere = (contract: Contract, role: ServiceRole): boolean => names.includes(serviceOf(contract, role))
  const roles: readonly ServiceRole[] = ['message', 'template', 'app']
  return (
    CONTRACTS.find((contract) => isThere(contract, 'message')) ??
    CONTRACTS.find((contract) => roles.some((role) => isThere(contract, role)))
  )
}

/** The services that were expected, for an error: `chat.external.ExternalMessageService or ...`. */
export const WANTED_SERVICES: string = CONTRACTS.map((contract) => serviceOf(contract, 'message')).join(' or ')

/** The client's name for a method of the API. */
export type MethodName =
  | 'createSendRequest'
  | 'getSendRequestStatus'
  | 'streamSendRequestEvents'
  | 'createTemplate'
  | 'getPollResults'
  | 'listPollResponses'
  | 'getAppStats'

/** A method on the wire, and the fields that the client needs. */
export interface WireMethod {
  readonly service: ServiceRole
  readonly method: string
  readonly sends: readonly string[]
  readonly reads: readonly string[]
}

/** The methods of the API, by the client's names. */
export const METHODS: Readonly<Record<MethodName, WireMethod>> = {
  createSendRequest: {
    service: 'message',
    method: 'CreateSendRequest',
    sends: ['template_id', 'recipients'],
    reads: ['id', 'status', 'total_recipients'],
  },
  getSendRequestStatus: {
    service: 'message',
    method: 'GetSendRequestStatus',
    sends: ['id'],
    reads: ['status', 'total', 'delivered', 'pending_consent', 'failed'],
  },
  streamSendRequestEvents: {
    service: 'message',
    method: 'StreamSendRequestEvents',
    sends: ['send_request_id', 'after_event_id'],
    reads: ['event_id', 'event_type'],
  },
  createTemplate: {
    service: 'template',
    method: 'CreateTemplate',
    sends: ['name', 'components'],
    reads: ['id', 'name', 'is_active', 'version', 'created_at'],
  },
  getPollResults: {
    service: 'app',
    method: 'GetPollResults',
    sends: ['poll_id'],
    reads: ['poll_id', 'question', 'results', 'total_responses'],
  },
  listPollResponses: {
    service: 'app',
    method: 'ListPollResponses',
    sends: ['poll_id', 'limit', 'cursor'],
    reads: ['responses', 'has_more', 'next_cursor'],
  },
  getAppStats: {
    service: 'app',
    method: 'GetAppStats',
    sends: [],
    reads: ['id', 'name', 'is_active'],
  },
}

/**
 * Whether an enum value of a descriptor is the documented one `wanted`: by that name, or prefixed with the enum's name, as
 * style guides ask: `SEND_REQUEST_STATUS_FAILED`, but not `PARTIALLY_FAILED`.
 */
export function isValueNamed(name: string, wanted: string): boolean {
  if (name === wanted) return true
  const prefix = name.endsWith(`_${wanted}`) ? name.slice(0, -wanted.length) : ''
  return prefix.endsWith('STATUS_') || prefix.endsWith('TYPE_')
}
