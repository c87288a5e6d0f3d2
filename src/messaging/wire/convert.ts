/*
 * Wire <-> public types, by hand: proto-loader silently drops what it does not know. Responses are read leniently (a vendor's
 * descriptor may declare a number as a string), requests are written strictly and after validation.
 */
import { isPlainObject } from '../../lib/guards.js'
import { parseRfc3339 } from '../lib/rfc3339.js'
import type {
  AppStats,
  PollResponse,
  PollResults,
  SendReceipt,
  SendRequest,
  SendStatus,
  SendStatusValue,
  Template,
  TemplateComponentType,
  TemplateRequest,
} from '../types/calls.js'
import { isValueNamed } from './rpcs.js'
import { type StructShape, toStruct } from './struct.js'

type Wire = Readonly<Record<string, unknown>>

const STATUSES = {
  QUEUED: 'queued',
  PROCESSING: 'processing',
  COMPLETED: 'completed',
  FAILED: 'failed',
} as const satisfies Readonly<Record<string, SendStatusValue>>

/** @param shape how the descriptor defines `google.protobuf.Struct` */
export function toSendRequest(request: SendRequest, shape: StructShape): object {
  const { poll } = request
  return {
    template_id: request.templateId,
    recipients: request.recipients.map(({ ppnum, vars }) =>
      vars === undefined ? { ppnum } : { ppnum, vars: toStruct(vars, shape) },
    ),
    ...(poll === undefined ? {} : { poll_config: toPollConfig(poll) }),
  }
}

function toPollConfig({ expiresInHours, allowMultiple }: NonNullable<SendRequest['poll']>): object {
  return {
    ...(expiresInHours === undefined ? {} : { expires_in_hours: expiresInHours }),
    ...(allowMultiple === undefined ? {} : { allow_multiple: allowMultiple }),
  }
}

/** @param names value names of the component types in the descriptor; some are prefixed with the enum's name */
export function toTemplateRequest(request: TemplateRequest, names: readonly string[]): object {
  return {
    name: request.name,
    components: request.components.map(({ type, ...members }) => ({
      component_type: toComponentType(type, names),
      ...members,
    })),
  }
}

function toComponentType(type: TemplateComponentType, names: readonly string[]): string | undefined {
  const wanted = type.toUpperCase()
  return names.find((name) => isValueNamed(name, wanted))
}

/** Whether a descriptor knows a component type; an unknown one would be sent as 0. */
export function hasComponentType(type: TemplateComponentType, names: readonly string[]): boolean {
  return toComponentType(type, names) !== undefined
}

export function fromSendReceipt(wire: Wire): SendReceipt {
  return {
    id: toText(wire['id']),
    status: toStatus(wire['status']),
    totalRecipients: toNumber(wire['total_recipients']),
  }
}

export function fromSendStatus(id: string, wire: Wire): SendStatus {
  return {
    id,
    status: toStatus(wire['status']),
    total: toNumber(wire['total']),
    delivered: toNumber(wire['delivered']),
    pendingConsent: toNumber(wire['pending_consent']),
    failed: toNumber(wire['failed']),
  }
}

export function fromTemplate(wire: Wire): Template {
  return {
    id: toText(wire['id']),
    name: toText(wire['name']),
    isActive: wire['is_active'] === true,
    version: toNumber(wire['version']),
    ...dated('createdAt', wire['created_at']),
  }
}

export function fromPollResults(wire: Wire): PollResults {
  return {
    pollId: toText(wire['poll_id']),
    question: toText(wire['question']),
    results: toList(wire['results']).map((result) => ({
      optionText: toText(result['option_text']),
      count: toNumber(result['count']),
      percentage: toNumber(result['percentage']),
    })),
    totalResponses: toNumber(wire['total_responses']),
  }
}

/** A page of answers, and the cursor of the next one. */
export function fromPollResponses(wire: Wire): {
  readonly responses: readonly PollResponse[]
  readonly hasMore: boolean
  readonly nextCursor: string
} {
  return {
    responses: toList(wire['responses']).map((response) => ({
      responderPpnum: toText(response['responder_ppnum']),
      selectedOption: toText(response['selected_option']),
      ...dated('respondedAt', response['responded_at']),
    })),
    hasMore: wire['has_more'] === true,
    nextCursor: toText(wire['next_cursor']),
  }
}

export function fromAppStats(wire: Wire): AppStats {
  const limit = wire['monthly_message_limit']
  const ips = wire['allowed_ips']
  return {
    id: toText(wire['id']),
    name: toText(wire['name']),
    tier: toText(wire['tier']),
    isActive: wire['is_active'] === true,
    rateLimitPerMin: toNumber(wire['rate_limit_per_min']),
    ...(limit === undefined || limit === null ? {} : { monthlyMessageLimit: toNumber(limit) }),
    currentMonthUsage: toNumber(wire['current_month_usage']),
    allowedIps: Array.isArray(ips) ? ips.map(toText) : [],
    ...dated('lastUsedAt', wire['last_used_at']),
    systemPpnum: toText(wire['system_ppnum']),
  }
}

/** The value is a number if the descriptor does not know it, else a name such as `QUEUED`, perhaps prefixed with the enum's. */
export function toStatus(value: unknown): SendStatusValue {
  const name = typeof value === 'string' ? value : ''
  for (const [wireName, status] of Object.entries(STATUSES)) {
    if (isValueNamed(name, wireName)) return status
  }
  return 'unknown'
}

/** A string; the digits of a number; `''` for anything else. */
export function toText(value: unknown): string {
  return typeof value === 'string' ? value : typeof value === 'number' ? String(value) : ''
}

/** A number; 64-bit numbers arrive as strings. 0 for anything else. */
export function toNumber(value: unknown): number {
  const number = typeof value === 'string' && value !== '' ? Number(value) : value
  return typeof number === 'number' && Number.isFinite(number) ? number : 0
}

/** RFC 3339, or a `google.protobuf.Timestamp`. @returns `undefined` for anything else, never an invalid date */
export function toDate(value: unknown): Date | undefined {
  const ms = isPlainObject(value) ? fromTimestamp(value) : typeof value === 'string' ? parseRfc3339(value) : Number.NaN
  const date = new Date(ms)
  return Number.isNaN(date.getTime()) ? undefined : date
}

/** An empty timestamp is a time that was not set, not 1970. */
function fromTimestamp({ seconds, nanos }: Wire): number {
  return seconds === undefined ? Number.NaN : Number(seconds) * 1_000 + Math.trunc(toNumber(nanos) / 1e6)
}

/** An object with that member, if the time can be read; else an empty one. */
function dated<Name extends string>(name: Name, value: unknown): { readonly [name in Name]?: Date } {
  const date = toDate(value)
  return (date === undefined ? {} : { [name]: date }) as { readonly [name in Name]?: Date }
}

function toList(value: unknown): readonly Wire[] {
  return Array.isArray(value) ? value.filter(isPlainObject) : []
}
