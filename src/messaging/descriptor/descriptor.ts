import type { MessageTypeDefinition, MethodDefinition, PackageDefinition } from '@grpc/proto-loader'
import { PpoppoError } from '../../errors.js'
import { isPlainObject } from '../../lib/guards.js'
import { protoLoader } from '../channel/grpc.js'
import type { SendRequest } from '../types/methods.js'
import { type Contract, contractAmong, METHODS, type MethodName, serviceOf, WANTED_SERVICES } from '../wire/rpcs.js'
import type { StructShape } from '../wire/struct.js'
import { createEventDecoder, type DecodeEvent } from './decode-event.js'
import { createSendEncoder } from './encode-send.js'
import { enumNamesAt, misfitOf } from './misfit.js'
import { createModel, type DescriptorModel, parseFile, type RpcShape } from './model.js'
import { OWN_PROTO } from './own-proto.generated.js'
import { type GivenDescriptor, readDescriptor, UnreadableDescriptor } from './sources.js'

/** Names as on the wire; numbers of 64 bits as text; what is absent stays absent, and an unknown enum value a number. */
const OPTIONS = { keepCase: true, longs: String, enums: String } as const

/** A descriptor that lacks something, or cannot be read: `config_invalid`. */
export class UnusableDescriptor extends PpoppoError {
  /** What is wrong with it: `has no field id in the message X`. */
  readonly problem: string

  /** @param problem goes after `"descriptor" ` in the message */
  constructor(problem: string, cause?: unknown) {
    super(
      'config_invalid',
      `"descriptor" ${problem}. Fetch the vendor's with "npx express-ppoppo proto pull <url>", or leave the option out.`,
      cause === undefined ? {} : { cause },
    )
    this.problem = problem
  }
}

/** One method, ready to be called. */
export interface Method {
  /** Its path, with the prefix of the API's URL: `/ext/chat.external.ExternalMessageService/CreateSendRequest`. */
  readonly path: string
  serialize(request: object): Buffer
  deserialize(bytes: Buffer): object
  /** Decodes a request, as a server does. */
  deserializeRequest(bytes: Buffer): object
}

/** All methods of a descriptor, and its names for the parts that the client encodes by hand. */
export interface Descriptor {
  readonly method: (name: MethodName) => Method
  /** The value names of the enum `TemplateComponentType`, for encoding. */
  readonly templateComponentTypes: readonly string[]
  readonly struct: StructShape
  /** Encodes a checked send. @throws UnusableDescriptor if it does not fit */
  encodeSend(request: SendRequest): Buffer
  /** The decoder of events. @throws UnusableDescriptor if events are not as the client needs them */
  eventDecoder(): DecodeEvent
}

/**
 * Reads a descriptor. Each method is checked when it is first used: a vendor's file that lacks polls can still send.
 * @param given the option `descriptor`; `undefined` for our transcription
 * @param prefix path in front of every method's, `''` or e.g. `/ext`
 * @throws UnusableDescriptor if it cannot be read, or lacks what is used
 */
export function loadDescriptor(given: GivenDescriptor | undefined, prefix: string): Descriptor {
  const definition = read(given)
  const contract = contractAmong(servicesOf(definition))
  if (contract === undefined) throw new UnusableDescriptor(`has no service ${WANTED_SERVICES}${others(definition)}`)
  const methods = new Map<MethodName, Method>()
  const model = createModel(filesOf(definition).map(parseFile))
  const rpcOf = (name: MethodName): Partial<RpcShape> => {
    const { service, method } = METHODS[name]
    return model.services.get(serviceOf(contract, service))?.get(method) ?? {}
  }
  const methodNamed = (name: MethodName): Method => {
    const known = methods.get(name)
    if (known !== undefined) return known
    const found = toMethod(definition, contract, name, prefix)
    const made = given === undefined ? found : checked(found, model, rpcOf(name).request ?? '')
    methods.set(name, made)
    return made
  }
  const struct = {
    isSnakeCase: fieldsOf(definition['google.protobuf.Value']).includes('string_value'),
    isListOfEntries: !takesMap(definition['google.protobuf.Struct']),
  }
  let encodeSend: Descriptor['encodeSend'] | undefined
  let decodeEvent: DecodeEvent | undefined
  return {
    method: methodNamed,
    templateComponentTypes: enumNamesAt(model, rpcOf('createTemplate').request, ['components', 'component_type']),
    struct,
    encodeSend: (request) => {
      const { request: type = '' } = rpcOf('createSendRequest')
      encodeSend ??= createSendEncoder({ method: methodNamed('createSendRequest'), model, type, struct })
      return encodeSend(request)
    },
    eventDecoder: () => {
      const { response: type = '' } = rpcOf('streamSendRequestEvents')
      decodeEvent ??= createEventDecoder({ method: methodNamed('streamSendRequestEvents'), model, type })
      return decodeEvent
    },
  }
}

/** The files of our transcription, as a server's reflection would send them. */
export function ownFiles(): readonly Buffer[] {
  return filesOf(read(undefined))
}

/** Each type knows the files of all. */
function filesOf(definition: PackageDefinition): readonly Buffer[] {
  const type = Object.values(definition).find((entry) => 'fileDescriptorProtos' in entry)
  return (type as MessageTypeDefinition<object, object> | undefined)?.fileDescriptorProtos ?? []
}

function read(given: GivenDescriptor | undefined): PackageDefinition {
  if (given === undefined) return protoLoader().fromJSON(JSON.parse(OWN_PROTO), OPTIONS)
  try {
    return readDescriptor(given, OPTIONS)
  } catch (error) {
    if (error instanceof UnreadableDescriptor) throw new UnusableDescriptor(error.message)
    throw new UnusableDescriptor(
      'cannot be read as .proto files (by their ending), a folder of them, or descriptor sets (other files, or bytes)',
      error,
    )
  }
}

function servicesOf(definition: PackageDefinition): readonly string[] {
  return Object.keys(definition).filter((name) => !('format' in (definition[name] ?? { format: '' })))
}

/** The services that are there instead, for the error. */
function others(definition: PackageDefinition): string {
  const names = servicesOf(definition).slice(0, 5)
  return names.length === 0 ? '; it has none at all' : `, only ${names.map((name) => name.slice(0, 100)).join(', ')}`
}

function toMethod(definition: PackageDefinition, contract: Contract, name: MethodName, prefix: string): Method {
  const { method, sends, reads } = METHODS[name]
  const service = serviceOf(contract, METHODS[name].service)
  const found = methodOf(definition, service, method)
  if (found === undefined) throw new UnusableDescriptor(`has no method ${service}/${method}`)
  if (found.requestStream || found.responseStream !== (name === 'streamSendRequestEvents')) {
    throw new UnusableDescriptor(`has ${service}/${method} with streams where the client expects none, or without`)
  }
  requireFields(found.requestType, sends)
  requireFields(found.responseType, reads)
  return {
    path: `${prefix}${found.path}`,
    serialize: found.requestSerialize,
    deserialize: found.responseDeserialize,
    deserializeRequest: found.requestDeserialize,
  }
}

/** With a given descriptor, a value that does not fit throws instead of being dropped silently. */
function checked(known: Method, model: DescriptorModel, type: string): Method {
  return {
    ...known,
    serialize: (request) => {
      const misfit = misfitOf(model, type, request)
      if (misfit !== undefined) throw new UnusableDescriptor(misfit)
      return known.serialize(request)
    },
  }
}

function methodOf(
  definition: PackageDefinition,
  service: string,
  method: string,
): MethodDefinition<object, object> | undefined {
  const found: unknown = definition[service]
  const methods = (isPlainObject(found) ? found : {}) as Readonly<Record<string, MethodDefinition<object, object>>>
  return methods[method]
}

function requireFields(message: MessageTypeDefinition<object, object>, wanted: readonly string[]): void {
  const fields = fieldsOf(message)
  const missing = wanted.filter((field) => !fields.includes(field))
  if (missing.length === 0) return
  const { type } = message
  const name: unknown = isPlainObject(type) ? type['name'] : undefined
  throw new UnusableDescriptor(`has no field ${missing.join(', ')} in the message ${String(name)}`)
}

/** By trying: the two kinds of type look the same from outside. */
function takesMap(struct: unknown): boolean {
  const message = struct as MessageTypeDefinition<object, object> | undefined
  try {
    message?.serialize({ fields: {} })
    return true
  } catch {
    return false
  }
}

/** The fields of a `DescriptorProto`, which proto-loader types as `object`. */
function fieldsOf(definition: unknown): readonly string[] {
  const type = isPlainObject(definition) ? definition['type'] : undefined
  const entries = isPlainObject(type) ? type['field'] : undefined
  if (!Array.isArray(entries)) return []
  return entries.flatMap((entry: unknown) => (isPlainObject(entry) ? String(entry['name']) : []))
}
