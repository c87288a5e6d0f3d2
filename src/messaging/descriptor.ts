import { existsSync, readFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { MessageTypeDefinition, MethodDefinition, PackageDefinition } from '@grpc/proto-loader'
import { PpoppoError } from '../errors.js'
import { isPlainObject } from '../lib/guards.js'
import { enumNamesAt, misfitOf } from './descriptor-check.js'
import { createModel, type DescriptorModel, parseFile } from './descriptor-model.js'
import { protoLoader } from './grpc.js'
import { METHODS, type MethodName, PACKAGES } from './names.js'
import type { StructShape } from './struct.js'

/** Our transcription; beside `dist/` in the package as beside `src/` in the repository. */
const OWN_PROTO = new URL('../../proto/ppoppo/external/v1/external.proto', import.meta.url)

/** Names as on the wire; numbers of 64 bits as text; what is absent stays absent, and an unknown enum value a number. */
const OPTIONS = { keepCase: true, longs: String, enums: String } as const

/** One method, ready to be called. */
export interface Method {
  /** With the prefix of the API's URL: `/ext/chat.external.ExternalMessageService/CreateSendRequest`. */
  readonly path: string
  serialize(request: object): Buffer
  deserialize(bytes: Buffer): object
}

/** All methods of a descriptor, and what it calls the parts the client writes by hand. */
export interface Descriptor {
  readonly method: (name: MethodName) => Method
  /** The value names of the enum that a field of a message of the package has; for values that go out. */
  readonly templateComponentTypes: readonly string[]
  readonly struct: StructShape
}

/**
 * Reads a descriptor. Each method is checked when it is first used: a vendor's file that lacks polls still sends.
 * @param given path of a .proto, path of a descriptor set, its bytes, or nothing for our transcription
 * @param prefix path in front of every method's, `''` or e.g. `/ext`
 * @throws `config_invalid` where it cannot be read, or lacks what is used
 */
export function loadDescriptor(given: string | Uint8Array | undefined, prefix: string): Descriptor {
  const definition = read(given)
  const packageName = PACKAGES.find((name) => `${name}.${METHODS.createSendRequest.service}` in definition)
  if (packageName === undefined) {
    throw invalid(`has no service ${PACKAGES.map((name) => `${name}.ExternalMessageService`).join(' or ')}`)
  }
  const methods = new Map<MethodName, Method>()
  const model = createModel(filesOf(definition).map(parseFile))
  const { service, method } = METHODS.createTemplate
  const { request } = model.services.get(`${packageName}.${service}`)?.get(method) ?? {}
  return {
    method: (name) => {
      const known = methods.get(name) ?? toMethod(definition, packageName, name, prefix)
      methods.set(name, known)
      return given === undefined ? known : checked(known, name, model, packageName)
    },
    templateComponentTypes: enumNamesAt(model, request, ['components', 'component_type']),
    struct: {
      isSnakeCase: fieldsOf(definition['google.protobuf.Value']).includes('string_value'),
      isListOfEntries: !takesMap(definition['google.protobuf.Struct']),
    },
  }
}

/** The files of our transcription, as a server's reflection would tell them. */
export function ownFiles(): readonly Buffer[] {
  return filesOf(read(undefined))
}

/** Each type knows the files of all. */
function filesOf(definition: PackageDefinition): readonly Buffer[] {
  const type = Object.values(definition).find((entry) => 'fileDescriptorProtos' in entry)
  return (type as MessageTypeDefinition<object, object> | undefined)?.fileDescriptorProtos ?? []
}

function read(given: string | Uint8Array | undefined): PackageDefinition {
  const loader = protoLoader()
  if (given === undefined) return loader.loadSync(fileURLToPath(OWN_PROTO), OPTIONS)
  try {
    if (typeof given !== 'string') return loader.loadFileDescriptorSetFromBuffer(Buffer.from(given), OPTIONS)
    if (!existsSync(given)) throw invalid('names a file that is not there')
    if (given.endsWith('.proto')) return loader.loadSync(given, { ...OPTIONS, includeDirs: foldersAbove(given) })
    return loader.loadFileDescriptorSetFromBuffer(readFileSync(given), OPTIONS)
  } catch (error) {
    if (error instanceof PpoppoError) throw error
    throw invalid('cannot be read as a .proto (by its ending) or as a descriptor set (any other file, or bytes)', error)
  }
}

/** Imports inside a .proto begin at a root that may be any folder above it. */
function foldersAbove(file: string): string[] {
  const folders = [dirname(file)]
  for (let above = dirname(file); folders.length < 8 && dirname(above) !== above; above = dirname(above)) {
    folders.push(dirname(above))
  }
  return folders
}

function toMethod(definition: PackageDefinition, packageName: string, name: MethodName, prefix: string): Method {
  const { service, method, sends, reads } = METHODS[name]
  const found = methodOf(definition, `${packageName}.${service}`, method)
  if (found === undefined) throw invalid(`has no method ${packageName}.${service}/${method}`)
  if (found.requestStream || found.responseStream !== (name === 'streamSendRequestEvents')) {
    throw invalid(`has ${packageName}.${service}/${method} with streams where the client expects none, or without`)
  }
  requireFields(found.requestType, sends)
  requireFields(found.responseType, reads)
  return { path: `${prefix}${found.path}`, serialize: found.requestSerialize, deserialize: found.responseDeserialize }
}

/** Of a foreign descriptor: what does not fit is told, rather than dropped. */
function checked(known: Method, name: MethodName, model: DescriptorModel, packageName: string): Method {
  const { service, method } = METHODS[name]
  const { request: type = '' } = model.services.get(`${packageName}.${service}`)?.get(method) ?? {}
  return {
    ...known,
    serialize: (request) => {
      const misfit = misfitOf(model, type, request)
      if (misfit !== undefined) throw invalid(misfit)
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
  throw invalid(`has no field ${missing.join(', ')} in the message ${String(name)}`)
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

function invalid(problem: string, cause?: unknown): PpoppoError {
  return new PpoppoError(
    'config_invalid',
    `"descriptor" ${problem}. Fetch the vendor's with "npx express-ppoppo proto pull <url>", or leave the option out.`,
    cause === undefined ? {} : { cause },
  )
}
