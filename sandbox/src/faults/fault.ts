import { ENDPOINTS, type Endpoint } from '../endpoints.js'
import { isJsonObject, type JsonObject } from '../lib/json.js'

/** Faults of the transport or of the answer as a whole; every endpoint can have them. */
export const ANSWER_FAULTS = [
  'status',
  'delay',
  'garbage',
  'truncated',
  'empty',
  'cut',
  'reset',
  'hang',
  'huge',
  'redirect',
] as const

/** Faults inside the id_token; only the token endpoint has them. */
export const ID_TOKEN_FAULTS = [
  'wrong-nonce',
  'missing-nonce',
  'wrong-aud',
  'extra-aud',
  'wrong-azp',
  'wrong-iss',
  'wrong-sub',
  'alg-none',
  'alg-hs256',
  'foreign-key',
  'expired',
  'missing-exp',
  'future-iat',
  'wrong-at-hash',
  'wrong-c-hash',
] as const

const TOKEN_FAULTS = ['missing-id-token', 'missing-access-token', 'narrower-scope'] as const

/** Faults of single endpoints, besides `ANSWER_FAULTS`. */
const OWN_FAULTS: {
  readonly authorize: readonly ['callback-error', 'wrong-state']
  readonly token: readonly (IdTokenFaultKind | (typeof TOKEN_FAULTS)[number])[]
  readonly userinfo: readonly ['wrong-sub', 'missing-sub']
  readonly discovery: readonly ['wrong-issuer']
  readonly jwks: readonly ['foreign-key']
  readonly revocation: readonly []
  readonly endSession: readonly []
} = {
  authorize: ['callback-error', 'wrong-state'],
  token: [...ID_TOKEN_FAULTS, ...TOKEN_FAULTS],
  userinfo: ['wrong-sub', 'missing-sub'],
  discovery: ['wrong-issuer'],
  jwks: ['foreign-key'],
  revocation: [],
  endSession: [],
}

export type AnswerFaultKind = (typeof ANSWER_FAULTS)[number]
export type IdTokenFaultKind = (typeof ID_TOKEN_FAULTS)[number]
export type FaultKind = AnswerFaultKind | (typeof OWN_FAULTS)[Endpoint][number]

/** One way an answer fails. The README's table says which field belongs to which kind. */
export interface Fault {
  readonly kind: FaultKind
  /** `status`: 300 to 599. */
  readonly status?: number
  /** `status`, `callback-error`: the OAuth error code. */
  readonly error?: string
  readonly errorDescription?: string
  /** `status`: sent as `Retry-After`. */
  readonly retryAfterSeconds?: number
  /** Wait this long first; goes with every kind, and is all that `delay` does. */
  readonly delayMs?: number
  /** `huge`: size of the body. @default 50 */
  readonly megabytes?: number
  /** `redirect`: where to. @default an address on the sandbox that does not exist */
  readonly location?: string
  /** `narrower-scope`: what is granted instead. @default what was asked for without its last scope */
  readonly scope?: string
  /** Do the work first (use the code up, rotate the token), then spoil the answer. @default false */
  readonly afterProcessing?: boolean
}

/** The grants a fault can be for. */
export type GrantType = 'authorization_code' | 'refresh_token' | 'client_credentials'

/** Which answers a fault is for. */
export interface FaultRule {
  readonly endpoint: Endpoint
  readonly fault: Fault
  /** How many answers. @default 1 */
  readonly times?: number | 'until-cleared'
  /** `token` only: this grant and no other. @default all */
  readonly grantType?: GrantType
}

const isText = (value: unknown): boolean => typeof value === 'string' && value.length > 0
const isCount = (value: unknown): boolean => Number.isSafeInteger(value) && Number(value) >= 0

type FieldCheck = readonly [wants: string, accepts: (value: unknown) => boolean]
const FAULT_FIELDS: { readonly [F in keyof Omit<Fault, 'kind'>]-?: FieldCheck } = {
  status: ['a status from 300 to 599', (value) => isCount(value) && Number(value) >= 300 && Number(value) < 600],
  error: ['a text', isText],
  errorDescription: ['a text', isText],
  retryAfterSeconds: ['a whole number', isCount],
  delayMs: ['a whole number of milliseconds', isCount],
  megabytes: ['a positive number', (value) => typeof value === 'number' && value > 0 && value <= 10_000],
  location: ['an address', isText],
  scope: ['a text', (value) => typeof value === 'string'],
  afterProcessing: ['true or false', (value) => typeof value === 'boolean'],
}

/** Every kind an endpoint knows, for messages and for the README's table. */
export function faultKindsOf(endpoint: Endpoint): readonly FaultKind[] {
  return [...ANSWER_FAULTS, ...OWN_FAULTS[endpoint]]
}

/** These spoil the redirect back to the app; the sign-in page before it leaves them alone. */
export function isCallbackFault(fault: Fault): boolean {
  return fault.kind === 'callback-error' || fault.kind === 'wrong-state'
}

/**
 * Checks a fault rule, from code or from the control route.
 * @throws TypeError naming the field and listing what it takes.
 */
export function parseFaultRule(input: unknown): FaultRule {
  if (!isJsonObject(input)) throw new TypeError('a fault rule must be an object with "endpoint" and "fault"')
  assertKnownFields(input, ['endpoint', 'fault', 'times', 'grantType'], '')
  const { endpoint, fault, times, grantType } = input
  if (!isEndpoint(endpoint)) throw new TypeError(`"endpoint" must be one of ${ENDPOINTS.join(', ')}`)
  if (times !== undefined && times !== 'until-cleared' && !(isCount(times) && Number(times) > 0)) {
    throw new TypeError('"times" must be a positive whole number or "until-cleared"')
  }
  if (grantType !== undefined && (endpoint !== 'token' || !isGrantType(grantType))) {
    throw new TypeError(`"grantType" must be one of ${GRANT_TYPES.join(', ')}, and is for endpoint "token" only`)
  }
  return {
    endpoint,
    fault: parseFault(fault, endpoint),
    ...(times !== undefined && { times: times === 'until-cleared' ? times : Number(times) }),
    ...(isGrantType(grantType) && { grantType }),
  }
}

function parseFault(input: unknown, endpoint: Endpoint): Fault {
  const kinds = faultKindsOf(endpoint)
  if (!isJsonObject(input) || !kinds.some((kind) => kind === input['kind'])) {
    throw new TypeError(`"fault.kind" for endpoint "${endpoint}" must be one of ${kinds.join(', ')}`)
  }
  assertKnownFields(input, ['kind', ...Object.keys(FAULT_FIELDS)], 'fault.')
  for (const [name, [wants, accepts]] of Object.entries(FAULT_FIELDS)) {
    if (input[name] !== undefined && !accepts(input[name])) throw new TypeError(`"fault.${name}" must be ${wants}`)
  }
  if (input['kind'] === 'status' && input['status'] === undefined) {
    throw new TypeError('"fault.status" is missing: kind "status" needs a status from 300 to 599')
  }
  if (input['kind'] === 'delay' && input['delayMs'] === undefined) {
    throw new TypeError('"fault.delayMs" is missing: kind "delay" needs a whole number of milliseconds')
  }
  return { ...input, kind: input['kind'] as FaultKind }
}

function assertKnownFields(input: JsonObject, known: readonly string[], prefix: string): void {
  const stray = Object.keys(input).find((name) => !known.includes(name))
  if (stray !== undefined)
    throw new TypeError(`"${prefix}${stray}" is not a known field; known are ${known.join(', ')}`)
}

function isEndpoint(value: unknown): value is Endpoint {
  return ENDPOINTS.some((endpoint) => endpoint === value)
}

const GRANT_TYPES = ['authorization_code', 'refresh_token', 'client_credentials'] as const satisfies GrantType[]

function isGrantType(value: unknown): value is GrantType {
  return GRANT_TYPES.some((grantType) => grantType === value)
}
