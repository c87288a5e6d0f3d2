import type { ServiceDefinition } from '@grpc/proto-loader'

const bytesOf = new WeakMap<object, Uint8Array>()

/** The bytes a request was read from, for tests that look at what a client really sent. */
export function requestBytesOf(request: unknown): Uint8Array | undefined {
  return typeof request === 'object' && request !== null ? bytesOf.get(request) : undefined
}

/** The same service, which remembers the bytes of each request for as long as the request is in use. */
export function rememberingBytes(service: ServiceDefinition): ServiceDefinition {
  const methods = Object.entries(service).map(([name, method]) => {
    const requestDeserialize = (bytes: Buffer): object => {
      const request = method.requestDeserialize(bytes)
      // A copy: the buffer is a piece of what came in, and would keep all of that.
      bytesOf.set(request, Uint8Array.from(bytes))
      return request
    }
    return [name, { ...method, requestDeserialize }] as const
  })
  return Object.fromEntries(methods)
}
