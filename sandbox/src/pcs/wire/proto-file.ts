import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import {
  type AnyDefinition,
  type EnumTypeDefinition,
  loadSync,
  type MessageTypeDefinition,
  type PackageDefinition,
  type ServiceDefinition,
} from '@grpc/proto-loader'
import { type ContractNames, renamed } from './contract.js'

const FILE = 'ppoppo/external/v1/external.proto'

/** Built, the file lies in `dist/proto` (the build copies it there); run from sources, at the top of the repository. */
const FOLDERS = ['../../proto/', '../../../../proto/'].map((path) => fileURLToPath(new URL(path, import.meta.url)))

const OPTIONS = { keepCase: true, longs: String, enums: String, oneofs: true } as const

/** Ppoppo's Messaging External API, as far as it is documented, by the names of a contract. */
export function loadProto({ packageName }: ContractNames): PackageDefinition {
  const folder = FOLDERS.find((candidate) => existsSync(candidate + FILE))
  if (folder === undefined) throw new Error(`${FILE} is missing: run "npm run build" (${dirname(FOLDERS[0] ?? '')})`)
  if (packageName === 'chat.external') return loadSync(FILE, { ...OPTIONS, includeDirs: [folder] })
  return loadText(renamed(readFileSync(join(folder, FILE), 'utf8')))
}

/** proto-loader reads files only. */
function loadText(proto: string): PackageDefinition {
  const folder = mkdtempSync(join(tmpdir(), 'ppoppo-sandbox-'))
  try {
    writeFileSync(join(folder, 'external.proto'), proto)
    return loadSync(join(folder, 'external.proto'), OPTIONS)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/**
 * For reflection: proto-loader's description of a file names the types of other files, but not those files, and strict
 * readers refuse that. A field appended to a protobuf message counts as part of it.
 */
export function describable(definitions: PackageDefinition): PackageDefinition {
  const described = Object.entries(definitions).map(([name, definition]) => {
    if (!isType(definition) || name.startsWith('google.')) return [name, definition] as const
    const [own, ...others] = definition.fileDescriptorProtos
    const complete = own === undefined ? [] : [Buffer.concat([own, DEPENDS_ON_STRUCT])]
    return [name, { ...definition, fileDescriptorProtos: [...complete, ...others] }] as const
  })
  return Object.fromEntries(described)
}

/** `FileDescriptorProto.dependency`, by the name that proto-loader gives to `google/protobuf/struct.proto`. */
const STRUCT_FILE = 'google_protobuf.proto'
const DEPENDS_ON_STRUCT = Buffer.concat([Buffer.from([(3 << 3) | 2, STRUCT_FILE.length]), Buffer.from(STRUCT_FILE)])

function isType(definition: AnyDefinition): definition is EnumTypeDefinition | MessageTypeDefinition<object, object> {
  return 'format' in definition
}

/** One service of a loaded file, by its full name. */
export function serviceIn(definitions: PackageDefinition, name: string): ServiceDefinition {
  const definition = definitions[name]
  if (definition === undefined || 'format' in definition) throw new Error(`${name} is not a service in ${FILE}`)
  return definition
}
