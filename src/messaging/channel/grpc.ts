import type * as Grpc from '@grpc/grpc-js'
import type * as ProtoLoader from '@grpc/proto-loader'
import { loadGrpc, loadProtoLoader } from '../../load-packages.js'

let grpcLoaded: typeof Grpc | undefined
let loaderLoaded: typeof ProtoLoader | undefined

/** `@grpc/grpc-js`, loaded at the first call. @throws `config_invalid` if it cannot be loaded */
export function grpc(): typeof Grpc {
  grpcLoaded ??= loadGrpc()
  return grpcLoaded
}

/** `@grpc/proto-loader`, loaded at the first call. @throws `config_invalid` if it cannot be loaded */
export function protoLoader(): typeof ProtoLoader {
  loaderLoaded ??= loadProtoLoader()
  return loaderLoaded
}
