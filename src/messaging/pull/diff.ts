import type { DescriptorModel, FieldShape, RpcShape } from '../descriptor/model.js'
import { type Contract, contractAmong, isValueNamed, METHODS, serviceOf } from '../wire/rpcs.js'

/**
 * What a difference means for the client.
 * - `none`: nothing, because it is an addition or is not on the wire
 * - `descriptor`: the built-in definition does not fit, the server's own does
 * - `client`: even with the server's own definition, the client lacks something it needs, or misreads something
 */
type Severity = 'none' | 'descriptor' | 'client'

/** One difference between a server's definition and ours. */
export interface Difference {
  /** What it is about, as a heading: `message CreateSendRequestReq`. */
  readonly group: string
  readonly text: string
  readonly severity: Severity
}

/** Adds a difference. */
type Report = (group: string, severity: Severity, text: string) => void

/** The contract that the client would use. */
function contractOf(model: DescriptorModel): Contract | undefined {
  return contractAmong([...model.services.keys()])
}

/**
 * Compares a server's definition with ours, from the methods down. Messages are paired by their role, since neither their
 * names nor those of enums are on the wire.
 */
export function diffProtos(ours: DescriptorModel, theirs: DescriptorModel): readonly Difference[] {
  const differences: Difference[] = []
  const report: Report = (group, severity, text) => void differences.push({ group, severity, text })
  const [mine, found] = [contractOf(ours), contractOf(theirs)]
  if (mine === undefined || found === undefined) return []
  const names = { ours: mine, theirs: found }
  if (mine !== found) report('package', 'descriptor', `${found.packageName}, ours ${mine.packageName}`)
  diffServices(ours, theirs, names, report)
  const pairs = diffTypes(ours, theirs, names, report)
  reportUnpaired(theirs, found.packageName, pairs, report)
  return differences
}

interface Names {
  readonly ours: Contract
  readonly theirs: Contract
}

function diffServices(ours: DescriptorModel, theirs: DescriptorModel, names: Names, report: Report): void {
  for (const { service, method, mine, found } of rpcs(ours, theirs, names)) {
    const group = `service ${service}`
    if (found === undefined) report(group, 'client', `${method} is missing`)
    else if (found.kind !== mine.kind) report(group, 'client', `${method} is ${found.kind}, ours ${mine.kind}`)
  }
  for (const [full, methods] of theirs.services) {
    if (!full.startsWith(`${names.theirs.packageName}.`)) continue
    const service = bare(full)
    const known = Object.values(METHODS).filter((entry) => names.theirs.services[entry.service] === service)
    const extra = [...methods.keys()].filter((name) => !known.some(({ method }) => method === name))
    if (extra.length > 0) report(`service ${service}`, 'none', `more methods: ${extra.join(', ')}`)
  }
}

/** Compares all messages and enums that the methods use. @returns our names, mapped to theirs */
function diffTypes(
  ours: DescriptorModel,
  theirs: DescriptorModel,
  names: Names,
  report: Report,
): ReadonlyMap<string, string> {
  const pairs = new Map<string, string>()
  const open = rpcs(ours, theirs, names).flatMap(({ mine, found }): (readonly [string, string])[] =>
    found ? [[mine.request, found.request] as const, [mine.response, found.response] as const] : [],
  )
  for (let next = open.shift(); next !== undefined; next = open.shift()) {
    const [mine, found] = next
    // A well-known type is the same everywhere.
    if (pairs.has(mine) || (mine === found && mine.startsWith('google.protobuf.'))) continue
    pairs.set(mine, found)
    const group = `${ours.enums.has(mine) ? 'enum' : 'message'} ${bare(mine)}`
    if (bare(found) !== bare(mine)) report(group, 'none', `is called ${bare(found)}`)
    diffEnum(ours.enums.get(mine) ?? new Map(), theirs.enums.get(found) ?? new Map(), group, report)
    open.push(...diffFields({ ours, theirs, mine, found }, group, report))
  }
  return pairs
}

function reportUnpaired(
  theirs: DescriptorModel,
  name: string,
  pairs: ReadonlyMap<string, string>,
  report: Report,
): void {
  const paired = new Set(pairs.values())
  const isExtra = (full: string): boolean => full.startsWith(`${name}.`) && !paired.has(full)
  const messages = [...theirs.messages.keys()].filter(isExtra)
  const enums = [...theirs.enums.keys()].filter(isExtra)
  if (messages.length > 0) report('others', 'none', `more messages: ${messages.map(bare).join(', ')}`)
  if (enums.length > 0) report('others', 'none', `more enums: ${enums.map(bare).join(', ')}`)
}

/** The client's methods, on both sides. */
function rpcs(
  ours: DescriptorModel,
  theirs: DescriptorModel,
  names: Names,
): { service: string; method: string; mine: RpcShape; found: RpcShape | undefined }[] {
  return Object.values(METHODS).flatMap(({ service, method }) => {
    const mine = ours.services.get(serviceOf(names.ours, service))?.get(method)
    const found = theirs.services.get(serviceOf(names.theirs, service))?.get(method)
    return mine ? [{ service: names.theirs.services[service], method, mine, found }] : []
  })
}

function bare(full: string): string {
  return full.slice(full.lastIndexOf('.') + 1)
}

/** Numeric types that the client reads in the same way; it sends only whole, non-negative numbers of them. */
const NUMBERS: readonly string[] =
  'double float int64 uint64 int32 fixed64 fixed32 uint32 sfixed32 sfixed64 sint32 sint64'.split(' ')

/** Two messages with the same role, by full name. */
export interface MessagePair {
  readonly ours: DescriptorModel
  readonly theirs: DescriptorModel
  readonly mine: string
  readonly found: string
}

/** Compares the fields of two messages by name. @returns the types of fields, to be compared next */
function diffFields(pair: MessagePair, group: string, report: Report): readonly (readonly [string, string])[] {
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
      report(group, severityOfTypes(field.type, other.type), `${name} is ${other.type}, ours ${field.type}`)
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

/** Compares two enums by the names of their values, which may be prefixed with the enum's. The value 0 has no meaning. */
function diffEnum(
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

/** Whether two types can be compared by their fields: well-known types are compared by name. */
function isSameWorld(mine: string, found: string): boolean {
  return !mine.startsWith('google.protobuf.') && !found.startsWith('google.protobuf.')
}

function severityOfTypes(mine: string, found: string): Severity {
  if (NUMBERS.includes(mine) && NUMBERS.includes(found)) return 'descriptor'
  // Dates are read from either.
  return mine === 'string' && found === 'google.protobuf.Timestamp' ? 'descriptor' : 'client'
}
