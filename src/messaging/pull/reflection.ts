import type { MessagingConfig } from '../../config/messaging-options.js'
import { PpoppoError } from '../../errors.js'
import { CallFailed } from '../call/failure.js'
import { CODE } from '../call/status.js'
import { openChannel } from '../channel/channel.js'
import type { MessagingRuntime } from '../lib/runtime.js'
import { CallScope } from '../lib/scope.js'
import type { CallOptions } from '../types/methods.js'
import { openReflectionCall, type ReflectionCall } from './reflection-call.js'
import { toReflectionError } from './reflection-error.js'
import { collectFiles } from './reflection-files.js'

/** Newer version first. Their messages are the same. */
const VERSIONS = ['grpc.reflection.v1', 'grpc.reflection.v1alpha'] as const

/** What a server's reflection reports about its Messaging API. */
export interface PulledFiles {
  /** `FileDescriptorProto`s as received, dependencies first. */
  readonly files: readonly Buffer[]
  /** The reflection service that answered: `grpc.reflection.v1`. */
  readonly version: string
}

/** Options of {@link pullFiles}. */
export interface PullOptions extends CallOptions {
  /** Gets a token for a server that asks for one; it is sent to no other. */
  readonly token?: () => Promise<string>
  /** Without `token`: the advice if the server asks for one. @default to set the client's variables */
  readonly tokenAdvice?: string
}

/**
 * Fetches the descriptor of the Messaging API by gRPC server reflection.
 * @throws PpoppoError that names what to do: not reached, no reflection, not this API, not in time; or the signal's reason
 */
export async function pullFiles(
  config: MessagingConfig,
  runtime: MessagingRuntime,
  options: PullOptions,
): Promise<PulledFiles> {
  const scope = new CallScope(runtime, options, config.deadlineMs, new Set())
  const channel = openChannel(config, runtime)
  const prefix = new URL(config.apiUrl).pathname.replace(/\/$/, '')
  let token: string | undefined

  const pull = async (version: string): Promise<PulledFiles> => {
    const path = `${prefix}/${version}.ServerReflection/ServerReflectionInfo`
    // Later than the end of the scope, whose message is better.
    const deadline = new Date(Date.now() + scope.remainingMs() + 1_000)
    const call = openReflectionCall(channel.client(), path, token, deadline)
    const bounded: ReflectionCall = { ...call, ask: (question) => scope.wait(call.ask(question), 'Reflection') }
    try {
      return { files: await collectFiles(bounded), version }
    } finally {
      call.close()
    }
  }
  const pullWithToken = async (version: string): Promise<PulledFiles> => {
    try {
      return await pull(version)
    } catch (error) {
      if (token !== undefined || !options.token || !isRefusal(error)) throw error
      token = await scope.wait(options.token(), 'Getting an access token')
      return await pull(version)
    }
  }
  try {
    return await firstOf(VERSIONS, pullWithToken)
  } catch (error) {
    throw toError(error, config, token !== undefined, options.tokenAdvice)
  } finally {
    scope.dispose()
    channel.release()
  }
}

/** Whether to try the next version: only if the server does not know this one. */
async function firstOf<T>(versions: readonly string[], pull: (version: string) => Promise<T>): Promise<T> {
  for (const version of versions.slice(0, -1)) {
    try {
      return await pull(version)
    } catch (error) {
      if (!(error instanceof CallFailed) || error.failure.code !== CODE.unimplemented) throw error
    }
  }
  return pull(versions.at(-1) ?? '')
}

function isRefusal(error: unknown): boolean {
  if (!(error instanceof CallFailed)) return false
  return error.failure.code === CODE.unauthenticated || error.failure.code === CODE.permissionDenied
}

function toError(
  error: unknown,
  { apiUrl, deadlineMs }: MessagingConfig,
  hadToken: boolean,
  tokenAdvice: string | undefined,
): unknown {
  if (error instanceof CallFailed) return toReflectionError(error.failure, apiUrl, hadToken, tokenAdvice)
  if (error instanceof PpoppoError && error.code === 'deadline_exceeded') {
    return new PpoppoError(
      'deadline_exceeded',
      `no answer from ${apiUrl} within ${deadlineMs / 1_000} s. Check host, port and path.`,
    )
  }
  return error
}
