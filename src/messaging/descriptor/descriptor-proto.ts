import type { MessageTypeDefinition } from '@grpc/proto-loader'
import { protoLoader } from '../channel/grpc.js'

/*
 * The parts of `google/protobuf/descriptor.proto` and `grpc/reflection/v1/reflection.proto` that are read here, with their
 * published field numbers. v1alpha has the same ones.
 */

const TEXT = 'string'
const list = (type: string, id: number): { rule: string; type: string; id: number } => ({ rule: 'repeated', type, id })
const one = (type: string, id: number): { type: string; id: number } => ({ type, id })

type TypeName =
  | 'FileDescriptorSet'
  | 'FileDescriptorProto'
  | 'DescriptorProto'
  | 'FieldDescriptorProto'
  | 'OneofDescriptorProto'
  | 'EnumDescriptorProto'
  | 'EnumValueDescriptorProto'
  | 'ServiceDescriptorProto'
  | 'MethodDescriptorProto'
  | 'ServerReflectionRequest'
  | 'ServerReflectionResponse'
  | 'FileDescriptorResponse'
  | 'ListServiceResponse'
  | 'ServiceResponse'
  | 'ErrorResponse'

const SCHEMA: Readonly<Record<TypeName, Record<string, { type: string; id: number; rule?: string }>>> = {
  FileDescriptorSet: { file: list('bytes', 1) },
  FileDescriptorProto: {
    name: one(TEXT, 1),
    package: one(TEXT, 2),
    dependency: list(TEXT, 3),
    message_type: list('DescriptorProto', 4),
    enum_type: list('EnumDescriptorProto', 5),
    service: list('ServiceDescriptorProto', 6),
  },
  DescriptorProto: {
    name: one(TEXT, 1),
    field: list('FieldDescriptorProto', 2),
    nested_type: list('DescriptorProto', 3),
    enum_type: list('EnumDescriptorProto', 4),
    oneof_decl: list('OneofDescriptorProto', 8),
  },
  FieldDescriptorProto: {
    name: one(TEXT, 1),
    number: one('int32', 3),
    label: one('int32', 4),
    type: one('int32', 5),
    type_name: one(TEXT, 6),
    oneof_index: one('int32', 9),
  },
  OneofDescriptorProto: { name: one(TEXT, 1) },
  EnumDescriptorProto: { name: one(TEXT, 1), value: list('EnumValueDescriptorProto', 2) },
  EnumValueDescriptorProto: { name: one(TEXT, 1), number: one('int32', 2) },
  ServiceDescriptorProto: { name: one(TEXT, 1), method: list('MethodDescriptorProto', 2) },
  MethodDescriptorProto: {
    name: one(TEXT, 1),
    input_type: one(TEXT, 2),
    output_type: one(TEXT, 3),
    client_streaming: one('bool', 5),
    server_streaming: one('bool', 6),
  },
  ServerReflectionRequest: {
    file_by_filename: one(TEXT, 3),
    file_containing_symbol: one(TEXT, 4),
    list_services: one(TEXT, 7),
  },
  ServerReflectionResponse: {
    file_descriptor_response: one('FileDescriptorResponse', 4),
    list_services_response: one('ListServiceResponse', 6),
    error_response: one('ErrorResponse', 7),
  },
  FileDescriptorResponse: { file_descriptor_proto: list('bytes', 1) },
  ListServiceResponse: { service: list('ServiceResponse', 1) },
  ServiceResponse: { name: one(TEXT, 1) },
  ErrorResponse: { error_code: one('int32', 1), error_message: one(TEXT, 2) },
}
let loaded: Readonly<Record<string, unknown>> | undefined

/** Encodes and decodes one of these messages. Absent fields stay absent; fields that are not in the table are skipped. */
export function descriptorType(name: TypeName): MessageTypeDefinition<object, object> {
  const types = Object.entries(SCHEMA).map(([type, fields]) => [type, { fields }] as const)
  loaded ??= protoLoader().fromJSON({ nested: { d: { nested: Object.fromEntries(types) } } }, { keepCase: true })
  return loaded[`d.${name}`] as MessageTypeDefinition<object, object>
}

/** The encoded files of a descriptor set. @throws if the bytes are not one */
export function fromDescriptorSet(bytes: Uint8Array): readonly Buffer[] {
  const { file = [] } = descriptorType('FileDescriptorSet').deserialize(Buffer.from(bytes)) as { file?: Buffer[] }
  return file
}

/** A `FileDescriptorSet` of encoded files, byte for byte. */
export function toDescriptorSet(files: readonly Buffer[]): Buffer {
  return descriptorType('FileDescriptorSet').serialize({ file: files })
}
