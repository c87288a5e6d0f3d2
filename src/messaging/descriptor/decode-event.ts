import type { MessagingEvent } from '../types/events.js'
import { fromEvent, toEventType } from '../wire/convert-event.js'
import { Unexpected } from '../wire/protobuf.js'
import { EVENT_FIELDS, type EventShape, readEvent } from '../wire/read-event.js'
import type { DescriptorModel, FieldShape } from './model.js'
import { numbersOf } from './numbers.js'

/** What {@link createEventDecoder} is made of. */
export interface EventDecoderParts {
  readonly method: { readonly deserialize: (bytes: Buffer) => object }
  readonly model: DescriptorModel
  /** Full name of the event's message. */
  readonly type: string
}

/** Decodes an event. @param now when it arrived, in milliseconds since the epoch @throws if the bytes cannot be decoded */
export type DecodeEvent = (bytes: Buffer, now: () => number) => MessagingEvent

/**
 * Decodes events without proto-loader, which takes longer than everything else together. That is done only if the
 * descriptor gives the fields their documented types; a message that is not as the descriptor says is left to proto-loader.
 */
export function createEventDecoder({ method, model, type }: EventDecoderParts): DecodeEvent {
  const deserialize: DecodeEvent = (bytes, now) =>
    fromEvent(method.deserialize(bytes) as Readonly<Record<string, unknown>>, now)
  if (!EVENT_FIELDS.every((path) => isAsDocumented(model, type, path))) return deserialize
  const shape: EventShape = { numbers: numbersOf(model, type, EVENT_FIELDS), types: typesOf(model, type) }
  return (bytes, now) => {
    try {
      return readEvent(bytes, shape, now)
    } catch (error) {
      if (error instanceof Unexpected) return deserialize(bytes, now)
      throw error
    }
  }
}

const INTEGERS = ['int32', 'uint32', 'int64', 'uint64']

/** A field that a vendor's descriptor does not have is never there. */
function isAsDocumented(model: DescriptorModel, type: string, path: (typeof EVENT_FIELDS)[number]): boolean {
  const field = fieldAt(model, type, path.split('.'))
  if (field === undefined) return true
  if (field.isRepeated) return false
  switch (path) {
    case 'event_type':
      return model.enums.has(field.type)
    case 'recipient':
    case 'summary':
      return model.messages.has(field.type)
    case 'summary.delivered':
    case 'summary.failed':
      return INTEGERS.includes(field.type)
    default:
      return field.type === 'string'
  }
}

function fieldAt(
  model: DescriptorModel,
  type: string,
  [name = '', ...rest]: readonly string[],
): FieldShape | undefined {
  const field = model.messages.get(type)?.get(name)
  return field && rest.length > 0 ? fieldAt(model, field.type, rest) : field
}

function typesOf(model: DescriptorModel, type: string): EventShape['types'] {
  const values = model.enums.get(fieldAt(model, type, ['event_type'])?.type ?? '') ?? new Map<string, number>()
  return new Map([...values].map(([name, number]) => [number, toEventType(name)]))
}
