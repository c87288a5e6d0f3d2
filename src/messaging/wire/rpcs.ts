/*
 * The names of Ppoppo's Messaging API on the wire (wire facts: Ppoppo's Messaging reference and the official crates),
 * in one place. Shapes of requests and answers are in `convert.ts`.
 */

/** A service of the API, whatever a contract calls it. */
export type ServiceRole = 'message' | 'template' | 'app'

/** One way in which the vendor names all this: the package and the services in it belong together. */
export interface Contract {
  readonly packageName: string
  readonly services: Readonly<Record<ServiceRole, string>>
}

/** The documented contract, and the vendor's newest. Where a descriptor or a server has both, the first counts. */
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
 * The contract that these services are of: one that can send, else one that has any service of the client's.
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

/** What is asked for and not there, for a message: `chat.external.ExternalMessageService or ...`. */
export const WANTED_SERVICES: string = CONTRACTS.map((contract) => serviceOf(contract, 'message')).join(' or ')

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
  readonly service: ServiceRole
  readonly method: string
  readonly sends: readonly string[]
  readonly reads: readonly string[]
}

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
 * Whether a value of an enum in a descriptor is the one that is documented under `wanted`: by that name, or with the
 * enum's own in front, as style guides ask: `SEND_REQUEST_STATUS_FAILED`, but not `PARTIALLY_FAILED`.
 */
export function isValueNamed(name: string, wanted: string): boolean {
  if (name === wanted) return true
  const prefix = name.endsWith(`_${wanted}`) ? name.slice(0, -wanted.length) : ''
  return prefix.endsWith('STATUS_') || prefix.endsWith('TYPE_')
}
