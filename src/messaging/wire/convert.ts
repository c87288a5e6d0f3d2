/*
 * Wire <-> public types, by hand: proto-loader silently drops what it does not know. Responses are read leniently (a vendor's
 * descriptor may declare a number as a string), requests are written strictly and after validation. The messages of a method
 * are converted in its file in `methods/`, with the values below.
 */
import { isPlainObject } from '../../lib/guards.js'
import { parseRfc3339 } from '../lib/rfc3339.js'
import type { SendRequest, SendStatusValue } from '../types/methods.js'
import { isValueNamed } from './rpcs.js'
import { type StructShape, toStruct } from './struct.js'

/** A message as proto-loader decodes it. */
export type Wire = Readonly<Record<string, unknown>>

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
  const ms = typeof value === 'string' ? parseRfc3339(value) : isPlainObject(value) ? fromTimestamp(value) : Number.NaN
  const date = new Date(ms)
  return Number.isNaN(date.getTime()) ? undefined : date
}

/** An empty timestamp is a time that was not set, not 1970. */
function fromTimestamp({ seconds, nanos }: Wire): number {
  return seconds === undefined ? Number.NaN : Number(seconds) * 1_000 + Math.trunc(toNumber(nanos) / 1e6)
}

/** An object with that member, if the time can be read; else an empty one. */
export function dated<Name extends string>(name: Name, value: unknown): { readonly [name in Name]?: Date } {
  const date = toDate(value)
  return (date === undefined ? {} : { [name]: date }) as { readonly [name in Name]?: Date }
}

/** The messages of a repeated field. */
export function toList(value: unknown): readonly Wire[] {
  return Array.isArray(value) ? value.filter(isPlainObject) : []
}
