import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Options, PackageDefinition } from '@grpc/proto-loader'
import { protoLoader } from '../channel/grpc.js'

/** A definition given by the app: a `.proto`, a folder of them, a descriptor set, its bytes, or a list of these. */
export type GivenDescriptor = string | Uint8Array | readonly (string | Uint8Array)[]

/** Far more than a contract has: a folder with more files is the wrong one. */
const MAX_FILES = 200
const DEEPEST = 12

/** The given files are unusable. The message continues `"descriptor" `. */
export class UnreadableDescriptor extends Error {}

/** Reads a given definition. @throws UnreadableDescriptor, and errors of proto-loader */
export function readDescriptor(given: GivenDescriptor, options: Options): PackageDefinition {
  const entries = (typeof given === 'string' || given instanceof Uint8Array ? [given] : given).flatMap(filesIn)
  const protos = entries.filter((entry): entry is string => typeof entry === 'string' && entry.endsWith('.proto'))
  const loader = protoLoader()
  if (protos.length === entries.length) {
    // Loaded together, because they may import each other by any path.
    return loader.loadSync(protos, { ...options, includeDirs: [...new Set(protos.flatMap(foldersAbove))] })
  }
  if (protos.length > 0) throw new UnreadableDescriptor('mixes .proto files and descriptor sets: give one kind')
  // Concatenated sets are one set, because a set is just a list.
  const sets = entries.map((entry) => (typeof entry === 'string' ? readFileSync(entry) : entry))
  return loader.loadFileDescriptorSetFromBuffer(Buffer.concat(sets), options)
}

function filesIn(entry: string | Uint8Array): readonly (string | Uint8Array)[] {
  if (typeof entry !== 'string') return [entry]
  if (!existsSync(entry)) throw new UnreadableDescriptor('names a file that is not there')
  if (!statSync(entry).isDirectory()) return [entry]
  const files = protosUnder(entry, 0)
  if (files.length === 0) throw new UnreadableDescriptor('names a folder without .proto files')
  return files
}

function protosUnder(folder: string, depth: number): readonly string[] {
  const files = readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) return depth < DEEPEST && entry.name !== 'node_modules' ? protosUnder(path, depth + 1) : []
    return entry.name.endsWith('.proto') ? [path] : []
  })
  if (files.length > MAX_FILES) throw new UnreadableDescriptor(`names a folder of more than ${MAX_FILES} .proto files`)
  return files
}

/** Imports in a .proto are relative to a root, which may be any folder above it. */
function foldersAbove(file: string): readonly string[] {
  const folders = [dirname(file)]
  for (let above = dirname(file); folders.length < 8 && dirname(above) !== above; above = dirname(above)) {
    folders.push(dirname(above))
  }
  return folders
}
