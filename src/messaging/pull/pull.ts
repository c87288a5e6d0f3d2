import type { MessagingConfig } from '../../config/messaging-options.js'
import { loadDescriptor, ownFiles, UnusableDescriptor } from '../descriptor/descriptor.js'
import { fromDescriptorSet, toDescriptorSet } from '../descriptor/descriptor-proto.js'
import { createModel, parseFile } from '../descriptor/model.js'
import { systemMessagingRuntime } from '../lib/runtime.js'
import { METHODS, type MethodName } from '../wire/rpcs.js'
import { type Difference, diffProtos } from './diff.js'
import { type PullOptions, pullFiles } from './reflection.js'

/** A server's own definition of the Messaging API, and how it differs from ours. */
export interface PulledDescriptor {
  /** A `FileDescriptorSet`: what the option `descriptor` takes. */
  readonly bytes: Buffer
  /** Number of files. */
  readonly files: number
  /** Which reflection answered: `grpc.reflection.v1`. */
  readonly version: string
  /** How it differs from ours. */
  readonly differences: readonly Difference[]
  /** Calls of the client that do not work even with this descriptor, and why. */
  readonly unusable: readonly { readonly method: MethodName; readonly why: string }[]
}

/**
 * Fetches the definition of the Messaging API from its server, compares it with ours, and tries to use it.
 * @throws PpoppoError that names what to do; the signal's reason
 */
export async function pullDescriptor(config: MessagingConfig, options: PullOptions): Promise<PulledDescriptor> {
  const { files, version } = await pullFiles(config, systemMessagingRuntime, options)
  const bytes = toDescriptorSet(files)
  const [ours, theirs] = [ownFiles(), files].map((list) => createModel(list.map(parseFile)))
  const differences = ours && theirs ? diffProtos(ours, theirs) : []
  return { bytes, files: files.length, version, differences, unusable: unusable(bytes) }
}

/** Whether bytes are a descriptor set that has at least one file. */
export function isDescriptorSet(bytes: Uint8Array): boolean {
  try {
    const files = fromDescriptorSet(bytes).map(parseFile)
    return files.length > 0 && files.every(({ name }) => name !== undefined)
  } catch {
    return false
  }
}

/** Tries each method, as the client will. */
function unusable(bytes: Buffer): { method: MethodName; why: string }[] {
  return (Object.keys(METHODS) as MethodName[]).flatMap((method) => {
    try {
      loadDescriptor(bytes, '').method(method)
      return []
    } catch (error) {
      if (!(error instanceof UnusableDescriptor)) throw error
      return [{ method, why: error.problem }]
    }
  })
}
