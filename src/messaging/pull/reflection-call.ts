import type { Client, Metadata, ServiceError } from '@grpc/grpc-js'
import { CallFailed } from '../call/failure.js'
import { type CallFailure, CODE } from '../call/status.js'
import { toFailure } from '../call/unary.js'
import { grpc } from '../channel/grpc.js'
import { descriptorType } from '../descriptor/descriptor-proto.js'

/** A request of reflection: exactly one of them is set. */
export interface ReflectionQuestion {
  readonly list_services?: string
  readonly file_by_filename?: string
  readonly file_containing_symbol?: string
}

/** A response of reflection: one of them is set. */
export interface ReflectionAnswer {
  readonly list_services_response?: { readonly service?: readonly { readonly name?: string }[] }
  readonly file_descriptor_response?: { readonly file_descriptor_proto?: readonly Buffer[] }
  readonly error_response?: { readonly error_code?: number; readonly error_message?: string }
}

/** A stream of requests, each sent after the previous one was answered. */
export interface ReflectionCall {
  /** Rejects with a {@link CallFailed} if the stream ends instead. */
  ask(question: ReflectionQuestion): Promise<ReflectionAnswer>
  close(): void
}

/**
 * Opens gRPC server reflection by hand, since its clients do not support a path prefix.
 * @param path including the prefix: `/ext/grpc.reflection.v1.ServerReflection/ServerReflectionInfo`
 */
export function openReflectionCall(
  client: Client,
  path: string,
  token: string | undefined,
  deadline: Date,
): ReflectionCall {
  const metadata = new (grpc().Metadata)()
  if (token !== undefined) metadata.set('authorization', `Bearer ${token}`)
  const call = client.makeBidiStreamRequest<ReflectionQuestion, ReflectionAnswer>(
    path,
    (question) => descriptorType('ServerReflectionRequest').serialize(question),
    (bytes) => descriptorType('ServerReflectionResponse').deserialize(bytes),
    metadata,
    { deadline },
  )
  let waiting: { resolve(answer: ReflectionAnswer): void; reject(error: Error): void } | undefined
  let failed: Error | undefined

  const fail = (failure: CallFailure): void => {
    failed ??= new CallFailed(failure)
    waiting?.reject(failed)
    waiting = undefined
  }
  const failBy = (code: number, details: string): void => fail({ code, details, isFromPeer: true })
  let headers: Metadata | undefined
  call.on('metadata', (received: Metadata) => {
    headers = received
  })
  call.on('data', (answer: ReflectionAnswer) => {
    if (waiting) {
      waiting.resolve(answer)
      waiting = undefined
      return
    }
    failBy(CODE.internal, 'an answer to nothing')
    call.cancel()
  })
  call.on('error', (error: ServiceError) => fail(toFailure(error, headers, token ?? '')))
  call.on('end', () => failBy(CODE.unknown, 'the stream ended before the answer'))

  return {
    ask: (question) =>
      new Promise((resolve, reject) => {
        if (failed) return reject(failed)
        waiting = { resolve, reject }
        call.write(question)
      }),
    close: () => {
      call.end()
      call.cancel()
    },
  }
}
