import { isPlainObject } from '../../lib/guards.js'
import type { DescriptorModel, FieldShape } from './model.js'

const TAKES_TEXT = ['string', 'bytes']

/**
 * What in a request does not fit the descriptor, at any depth: an unknown field, or one of another type; `undefined` if all
 * fits. proto-loader would silently drop the former, and send the latter as zero.
 * @param type full name of the request's message
 */
export function misfitOf(model: DescriptorModel, type: string, request: object): string | undefined {
  // A well-known type is the same everywhere, and `Struct` is written by hand.
  if (type.startsWith('google.protobuf.')) return undefined
  const fields = model.messages.get(type)
  for (const [name, value] of Object.entries(request)) {
    if (value === undefined) continue
    const field = fields?.get(name)
    if (field === undefined) return `has no field ${name} in the message ${type}`
    const values: readonly unknown[] = Array.isArray(value) ? value : [value]
    if (Array.isArray(value) !== field.isRepeated) {
      return `has ${type}.${name} as ${field.isRepeated ? 'a list' : 'one value'}, which the client does not expect`
    }
    for (const entry of values) {
      if (!isTaken(model, field, entry)) return `has ${type}.${name} as ${field.type}, which the client does not expect`
      const inner = isPlainObject(entry) ? misfitOf(model, field.type, entry) : undefined
      if (inner !== undefined) return inner
    }
  }
  return undefined
}

function isTaken(model: DescriptorModel, { type }: FieldShape, value: unknown): boolean {
  if (isPlainObject(value)) return model.messages.has(type)
  if (model.messages.has(type)) return false
  if (typeof value === 'string') return TAKES_TEXT.includes(type) || model.enums.has(type)
  if (typeof value === 'boolean') return type === 'bool'
  return type !== 'bool' && !TAKES_TEXT.includes(type)
}

/** The value names of the enum of a field, found from a message down: `['components', 'component_type']`. */
export function enumNamesAt(
  model: DescriptorModel,
  message: string | undefined,
  path: readonly string[],
): readonly string[] {
  let type = message
  for (const name of path) type = type === undefined ? undefined : model.messages.get(type)?.get(name)?.type
  return type === undefined ? [] : [...(model.enums.get(type)?.keys() ?? [])]
}
