import { Server, type ServiceDefinition, type UntypedServiceImplementation } from '@grpc/grpc-js'

/** In production PCS is `https://api.ppoppo.com/ext`: the path of that address goes in front of every method's path. */
export const PATH_PREFIX = '/ext'

/** Serves every service twice: at its own path, and under the prefix. */
export class PrefixingServer extends Server {
  override addService(service: ServiceDefinition, implementation: UntypedServiceImplementation): void {
    super.addService(service, implementation)
    super.addService(prefixed(service), implementation)
  }
}

function prefixed(service: ServiceDefinition): ServiceDefinition {
  const methods = Object.entries(service).map(([name, method]) => {
    return [name, { ...method, path: PATH_PREFIX + method.path }] as const
  })
  return Object.fromEntries(methods)
}
