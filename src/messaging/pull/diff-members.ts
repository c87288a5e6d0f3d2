import type { DescriptorModel, FieldShape } from '../descriptor/model.js'
import { isValueNamed } from '../wire/methods.js'
import type { Report, Severity } from './diff.js'

/** Types whose numbers the client reads alike; what it sends of them is whole and not negative. */
const NUMBERS: readonly string[] =
  'double float int64 uint64 int32 fixed64 fixed32 uint32 sfixed32 sfixed64 sint32 sint64'.split(' ')

/** Two messages that are for the same, by full name. */
export interface MessagePair {
  readonly ours: DescriptorModel
  readonly theirs: DescriptorModel
  readonly mine: string
  readonly found: string
}

/** Compares the fields of two messages by name. @returns the types of fields, to be compared next */
export function diffFields(pair: MessagePair, group: string, report: Report): readonly (readonly [string, string])[] {
  const mine = pair.ours.messages.get(pair.mine) ?? new Map<string, FieldShape>()
  const found = pair.theirs.messages.get(pair.found) ?? new Map<string, FieldShape>()
  const next: (readonly [string, string])[] = []
  for (const [name, field] of mine) {
    const other = found.get(name)
    if (other === undefined) {
      report(group, 'client', `${name} is missing`)
      continue
    }
    diffField(name, field, other, group, report)
    const kinds = [kindOf(pair.ours, field.type), kindOf(pair.theirs, other.type)]
    if (kinds[0] !== 'scalar' && kinds[0] === kinds[1] && isSameWorld(field.type, other.type)) {
      next.push([field.type, other.type])
    } else if (field.type !== other.type) {
      report(group, ofType(field.type, other.type), `${name} is ${other.type}, ours ${field.type}`)
    }
  }
  const extra = [...found].filter(([name]) => !mine.has(name)).map(([name, { number }]) => `${name} = ${number}`)
  if (extra.length > 0) report(group, 'none', `more fields: ${extra.join(', ')}`)
  return next
}

function diffField(name: string, mine: FieldShape, found: FieldShape, group: string, report: Report): void {
  if (found.number !== mine.number) report(group, 'descriptor', `${name} = ${found.number}, ours = ${mine.number}`)
  if (found.isRepeated !== mine.isRepeated) {
    report(group, 'client', found.isRepeated ? `${name} is repeated, ours is not` : `${name} is not repeated, ours is`)
  } else if (found.isOptional !== mine.isOptional) {
    report(group, 'none', found.isOptional ? `${name} is optional, ours is not` : `${name} is not optional, ours is`)
  }
}

/** Compares two enums by the names of their values, which may have the enum's own in front. Zero means nothing. */
export function diffEnum(
  ours: ReadonlyMap<string, number>,
  theirs: ReadonlyMap<string, number>,
  group: string,
  report: Report,
): void {
  const paired = new Set<string>()
  for (const [name, number] of ours) {
    if (number === 0) continue
    const found = [...theirs.keys()].find((other) => isValueNamed(other, name))
    if (found === undefined) {
      report(group, 'client', `${name} is missing`)
      continue
    }
    paired.add(found)
    if (found !== name) report(group, 'none', `${name} is called ${found}`)
    if (theirs.get(found) !== number) report(group, 'descriptor', `${found} = ${theirs.get(found)}, ours = ${number}`)
  }
  const extra = [...theirs].filter(([name, number]) => number !== 0 && !paired.has(name))
  if (extra.length > 0)
    report(group, 'none', `more values: ${extra.map(([name, number]) => `${name} = ${number}`).join(', ')}`)
}

function kindOf(model: DescriptorModel, type: string): 'message' | 'enum' | 'scalar' {
  return model.messages.has(type) ? 'message' : model.enums.has(type) ? 'enum' : 'scalar'
}

/** A type of the API is compared with another; a well-known one by its name. */
function isSameWorld(mine: string, found: string): boolean {
  return !mine.startsWith('google.protobuf.') && !found.startsWith('google.protobuf.')
}

function ofType(mine: string, found: string): Severity {
  if (NUMBERS.includes(mine) && NUMBERS.includes(found)) return 'descriptor'
  // Dates are read as either.
  return mine === 'string' && found === 'google.protobuf.Timestamp' ? 'descriptor' : 'client'
}
