import { existsSync } from 'node:fs'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { loadSync, type PackageDefinition, type ServiceDefinition } from '@grpc/proto-loader'

const FILE = 'ppoppo/external/v1/external.proto'

/** Built, the file lies in `dist/proto` (the build copies it there); run from sources, at the top of the repository. */
const FOLDERS = ['../proto/', '../../../proto/'].map((path) => fileURLToPath(new URL(path, import.meta.url)))

/** Ppoppo's Messaging External API, as far as it is documented. */
export function loadProto(): PackageDefinition {
  const folder = FOLDERS.find((candidate) => existsSync(candidate + FILE))
  if (folder === undefined) throw new Error(`${FILE} is missing: run "npm run build" (${dirname(FOLDERS[0] ?? '')})`)
  return loadSync(FILE, { includeDirs: [folder], keepCase: true, longs: String, enums: String, oneofs: true })
}

/** One service of a loaded file, by its full name. */
export function serviceIn(definitions: PackageDefinition, name: string): ServiceDefinition {
  const definition = definitions[name]
  if (definition === undefined || 'format' in definition) throw new Error(`${name} is not a service in ${FILE}`)
  return definition
}
