import { createRequire } from 'node:module'
import type * as Grpc from '@grpc/grpc-js'
import type * as ProtoLoader from '@grpc/proto-loader'

// gRPC costs 100 ms and 20 MB to load. An app that only signs people in, or has not sent yet, does without; and a
// `require` stays synchronous, which a dynamic `import` is not.
const require = createRequire(import.meta.url)

let grpcLoaded: typeof Grpc | undefined
let loaderLoaded: typeof ProtoLoader | undefined

/** `@grpc/grpc-js`, loaded at the first call. */
export function grpc(): typeof Grpc {
  grpcLoaded ??= require('@grpc/grpc-js') as typeof Grpc
  return grpcLoaded
}

/** `@grpc/proto-loader`, loaded at the first call. */
export function protoLoader(): typeof ProtoLoader {
  loaderLoaded ??= require('@grpc/proto-loader') as typeof ProtoLoader
  return loaderLoaded
}
