import { descriptorType } from './descriptor-proto.js'

/*
 * What the files of a descriptor declare, by full name, for comparison. `descriptor.ts` gets its methods from proto-loader
 * instead, which exposes neither files nor their dependencies.
 */

/** A field: `type` is a scalar's name, or the full name of a message or an enum. */
export interface FieldShape {
  readonly number: number
  readonly type: string
  readonly isRepeated: boolean
  /** Declared `optional`: an absent value differs from zero. */
  readonly isOptional: boolean
}

/** A method: full names of the messages, and which sides stream. */
export interface RpcShape {
  readonly request: string
  readonly response: string
  readonly kind: 'unary' | 'client streaming' | 'server streaming' | 'bidirectional'
}

/** Declarations by full name; members by name, in the order of the file. */
export interface DescriptorModel {
  readonly services: Map<string, Map<string, RpcShape>>
  readonly messages: Map<string, Map<string, FieldShape>>
  readonly enums: Map<string, Map<string, number>>
  /** Types that are used but not declared. */
  readonly missing: Set<string>
}

interface Named {
  readonly name?: string
}
interface WireEnum extends Named {
  readonly value?: readonly { readonly name?: string; readonly number?: number }[]
}
interface WireField extends Named {
  readonly number?: number
  readonly label?: number
  readonly type?: number
  readonly type_name?: string
  readonly oneof_index?: number
}
interface WireMessage extends Named {
  readonly field?: readonly WireField[]
  readonly nested_type?: readonly WireMessage[]
  readonly enum_type?: readonly WireEnum[]
  readonly oneof_decl?: readonly Named[]
}
interface WireMethod extends Named {
  readonly input_type?: string
  readonly output_type?: string
  readonly client_streaming?: boolean
  readonly server_streaming?: boolean
}
/** The parts of a `FileDescriptorProto` that are read. */
export interface WireFile extends Named {
  readonly package?: string
  readonly dependency?: readonly string[]
  readonly message_type?: readonly WireMessage[]
  readonly enum_type?: readonly WireEnum[]
  readonly service?: readonly (Named & { readonly method?: readonly WireMethod[] })[]
}

/** `FieldDescriptorProto.Type`, from 1. */
const SCALARS =
  'double float int64 uint64 int32 fixed64 fixed32 bool string group message bytes uint32 enum sfixed32 sfixed64 sint32 sint64'.split(
    ' ',
  )
const REPEATED = 3

/** Decodes a file. @throws if the bytes are not a `FileDescriptorProto` */
export function parseFile(bytes: Buffer): WireFile {
  return descriptorType('FileDescriptorProto').deserialize(bytes) as WireFile
}

/** Collects everything that the files declare. References are resolved across all files. */
export function createModel(files: readonly WireFile[]): DescriptorModel {
  const found: { readonly name: string; readonly message: WireMessage }[] = []
  const model: DescriptorModel = { services: new Map(), messages: new Map(), enums: new Map(), missing: new Set() }
  for (const file of files) {
    const scope = file.package ?? ''
    for (const type of file.enum_type ?? []) addEnum(model, scope, type)
    const open = (file.message_type ?? []).map((message) => ({ scope, message }))
    for (let next = open.pop(); next !== undefined; next = open.pop()) {
      const name = join(next.scope, next.message.name)
      found.push({ name, message: next.message })
      model.messages.set(name, new Map())
      for (const type of next.message.enum_type ?? []) addEnum(model, name, type)
      for (const message of next.message.nested_type ?? []) open.push({ scope: name, message })
    }
  }
  for (const { name, message } of found) model.messages.set(name, toFields(model, name, message))
  for (const file of files) {
    for (const { name, method = [] } of file.service ?? []) {
      const service = join(file.package ?? '', name)
      model.services.set(service, new Map(method.map((rpc) => [rpc.name ?? '', toRpc(model, service, rpc)])))
    }
  }
  return model
}

function addEnum(model: DescriptorModel, scope: string, { name, value = [] }: WireEnum): void {
  model.enums.set(join(scope, name), new Map(value.map((entry) => [entry.name ?? '', entry.number ?? 0])))
}

function toFields(model: DescriptorModel, name: string, { field = [], oneof_decl = [] }: WireMessage) {
  const shapes = field.map((entry): [string, FieldShape] => {
    // An `optional` of proto3 is the only member of a oneof named after it (descriptor.proto, `proto3_optional`).
    const oneof = entry.oneof_index === undefined ? undefined : oneof_decl[entry.oneof_index]?.name
    const shape = {
      number: entry.number ?? 0,
      type: entry.type_name ? resolve(model, name, entry.type_name) : (SCALARS[(entry.type ?? 0) - 1] ?? 'unknown'),
      isRepeated: entry.label === REPEATED,
      isOptional: oneof === `_${entry.name}`,
    }
    return [entry.name ?? '', shape]
  })
  return new Map(shapes)
}

function toRpc(model: DescriptorModel, service: string, rpc: WireMethod): RpcShape {
  const kinds = ['unary', 'client streaming', 'server streaming', 'bidirectional'] as const
  return {
    request: resolve(model, service, rpc.input_type ?? ''),
    response: resolve(model, service, rpc.output_type ?? ''),
    kind: kinds[(rpc.client_streaming ? 1 : 0) + (rpc.server_streaming ? 2 : 0)] ?? 'unary',
  }
}

/** `.a.b.C` is absolute; any other name is resolved from the innermost scope outwards, as protobuf does. */
function resolve(model: DescriptorModel, scope: string, name: string): string {
  const isDeclared = (full: string): boolean => model.messages.has(full) || model.enums.has(full)
  const bare = name.replace(/^\./, '')
  const scopes = name.startsWith('.') ? [''] : scopesOf(scope)
  const full = scopes.map((outer) => join(outer, bare)).find(isDeclared)
  if (full === undefined) model.missing.add(bare)
  return full ?? bare
}

function scopesOf(scope: string): readonly string[] {
  const parts = scope.split('.')
  return [...parts.map((_, index) => parts.slice(0, parts.length - index).join('.')), '']
}

function join(scope: string, name = ''): string {
  return scope === '' ? name : `${scope}.${name}`
}
