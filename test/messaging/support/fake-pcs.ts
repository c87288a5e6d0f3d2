import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import type * as Grpc from '@grpc/grpc-js'
import type * as ProtoLoader from '@grpc/proto-loader'

const require = createRequire(import.meta.url)
export const grpc = require('@grpc/grpc-js') as typeof Grpc
export const loader = require('@grpc/proto-loader') as typeof ProtoLoader

export const OWN_PROTO: string = fileURLToPath(
  new URL('../../../proto/ppoppo/external/v1/external.proto', import.meta.url),
)

/** A call as it came in. */
export interface SeenCall {
  readonly method: string
  readonly token: string
  /** Decoded, names as on the wire. */
  readonly request: Readonly<Record<string, unknown>>
  readonly call: Grpc.ServerUnaryCall<object, object>
}

/** What a call is answered with; `undefined`: never. */
export type Answer =
  | { readonly ok: object }
  | { readonly code: number; readonly details?: string; readonly trailers?: Readonly<Record<string, string>> }
  | undefined

/** A gRPC server with our proto, scripted by one function. */
export interface FakePcs {
  readonly url: string
  readonly calls: SeenCall[]
  answer: (call: SeenCall) => Answer
  /** Given what answers a call, instead of that being done at once. */
  hold: ((answer: () => void) => void) | undefined
  /** How long after a call its answer goes out; what it is, is decided when the call comes. */
  takesMs: number
  /** Calls the client took back. */
  readonly cancelled: string[]
  close(): void
}

/** @param prefix path before every method's, e.g. `/ext` @param mostBytes what it takes in one request */
export async function startFakePcs({ prefix = '', proto = OWN_PROTO, mostBytes = 4_194_304 } = {}): Promise<FakePcs> {
  const definition = loader.loadSync(proto, { keepCase: true, longs: String, enums: String, defaults: false })
  const server = new grpc.Server({ 'grpc.max_receive_message_length': mostBytes })
  const calls: SeenCall[] = []
  const cancelled: string[] = []
  for (const service of Object.values(definition)) {
    if ('format' in service) continue
    for (const [method, { path, ...rest }] of Object.entries(service)) {
      server.register(
        `${prefix}${path}`,
        (call: Grpc.ServerUnaryCall<object, object>, done: Grpc.sendUnaryData<object>) => {
          const token = String(call.metadata.get('authorization')[0] ?? '').replace(/^Bearer /, '')
          const seen = { method, token, request: call.request as Readonly<Record<string, unknown>>, call }
          calls.push(seen)
          call.on('cancelled', () => cancelled.push(method))
          const answer = (): void => reply(pcs.answer(seen), done)
          if (pcs.takesMs > 0) {
            const given = pcs.answer(seen)
            setTimeout(() => reply(given, done), pcs.takesMs)
          } else if (pcs.hold) pcs.hold(answer)
          else answer()
        },
        rest.responseSerialize as (value: object) => Buffer,
        rest.requestDeserialize as (bytes: Buffer) => object,
        'unary',
      )
    }
  }
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', grpc.ServerCredentials.createInsecure(), (error, bound) =>
      error ? reject(error) : resolve(bound),
    )
  })
  const pcs: FakePcs = {
    url: `http://127.0.0.1:${port}${prefix}`,
    calls,
    cancelled,
    answer: () => ({ ok: {} }),
    hold: undefined,
    takesMs: 0,
    close: () => server.forceShutdown(),
  }
  return pcs
}

function reply(answer: Answer, done: Grpc.sendUnaryData<object>): void {
  if (answer === undefined) return
  if ('ok' in answer) return done(null, answer.ok)
  const metadata = new grpc.Metadata()
  for (const [name, value] of Object.entries(answer.trailers ?? {})) metadata.set(name, value)
  done({ code: answer.code, details: answer.details ?? '', metadata })
}
