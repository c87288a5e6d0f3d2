import { Metadata, type ServiceError, status } from '@grpc/grpc-js'

/** A status other than OK, with what goes into the trailers. */
export class GrpcError extends Error {
  override readonly name = 'GrpcError'
  readonly code: number
  readonly trailers: Readonly<Record<string, string>>

  constructor(code: keyof typeof status | number, details: string, trailers: Readonly<Record<string, string>> = {}) {
    super(details)
    this.code = typeof code === 'number' ? code : status[code]
    this.trailers = trailers
  }
}

/** Any failure as grpc-js wants it; an unexpected one is INTERNAL. */
export function toServiceError(error: unknown): ServiceError {
  const meant = error instanceof GrpcError ? error : new GrpcError('INTERNAL', String(error))
  const metadata = new Metadata()
  for (const [name, value] of Object.entries(meant.trailers)) metadata.set(name, value)
  return { name: meant.name, message: meant.message, code: meant.code, details: meant.message, metadata }
}
