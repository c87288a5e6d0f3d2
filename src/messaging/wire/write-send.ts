import type { SendRequest, TemplateValue, TemplateVars } from '../types/methods.js'
import { ProtoWriter } from './protobuf.js'

/** The fields of a send, as paths from its message. */
export const SEND_FIELDS = [
  'template_id',
  'recipients',
  'recipients.ppnum',
  'recipients.vars',
  'poll_config',
  'poll_config.expires_in_hours',
  'poll_config.allow_multiple',
] as const

/** The number of each field. */
export type SendNumbers = { readonly [path in (typeof SEND_FIELDS)[number]]: number }

/** `google.protobuf.Struct` and its parts have these numbers everywhere. */
const STRUCT = { fields: 1, key: 1, value: 2 } as const
const VALUE = { null: 1, number: 2, string: 3, boolean: 4, struct: 5, list: 6 } as const
const LIST = { values: 1 } as const
/** A guess. */
const BYTES_PER_RECIPIENT = 128

/** Encodes a checked send. The result means the same as what proto-loader makes of `toSendRequest`, in a tenth of the time. */
export function writeSend({ templateId, recipients, poll }: SendRequest, numbers: SendNumbers): Buffer {
  const writer = new ProtoWriter(64 + BYTES_PER_RECIPIENT * recipients.length)
  writer.string(numbers.template_id, templateId)
  const ppnumField = numbers['recipients.ppnum']
  const varsField = numbers['recipients.vars']
  for (const { ppnum, vars } of recipients) {
    const recipient = writer.begin(numbers.recipients)
    writer.string(ppnumField, ppnum)
    if (vars !== undefined) writeStruct(writer, varsField, vars)
    writer.end(recipient)
  }
  if (poll !== undefined) writePoll(writer, numbers, poll)
  return writer.finish()
}

function writePoll(writer: ProtoWriter, numbers: SendNumbers, poll: NonNullable<SendRequest['poll']>): void {
  const { expiresInHours, allowMultiple } = poll
  const start = writer.begin(numbers.poll_config)
  if (expiresInHours !== undefined) writer.uint32(numbers['poll_config.expires_in_hours'], expiresInHours)
  if (allowMultiple !== undefined) writer.bool(numbers['poll_config.allow_multiple'], allowMultiple)
  writer.end(start)
}

function writeStruct(writer: ProtoWriter, field: number, vars: TemplateVars): void {
  const struct = writer.begin(field)
  for (const name of Object.keys(vars)) {
    const entry = writer.begin(STRUCT.fields)
    writer.string(STRUCT.key, name)
    writeValue(writer, STRUCT.value, vars[name] as TemplateValue)
    writer.end(entry)
  }
  writer.end(struct)
}

function writeValue(writer: ProtoWriter, field: number, value: TemplateValue): void {
  const start = writer.begin(field)
  if (typeof value === 'string') writer.string(VALUE.string, value)
  else if (typeof value === 'number') writer.double(VALUE.number, value)
  else if (typeof value === 'boolean') writer.bool(VALUE.boolean, value)
  else if (value === null) writer.uint32(VALUE.null, 0)
  else if (isList(value)) writeList(writer, value)
  else writeStruct(writer, VALUE.struct, value)
  writer.end(start)
}

function writeList(writer: ProtoWriter, values: readonly TemplateValue[]): void {
  const list = writer.begin(VALUE.list)
  for (const value of values) writeValue(writer, LIST.values, value)
  writer.end(list)
}

function isList(value: readonly TemplateValue[] | TemplateVars): value is readonly TemplateValue[] {
  return Array.isArray(value)
}
