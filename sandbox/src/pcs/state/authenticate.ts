import type { Metadata } from '@grpc/grpc-js'
import { GrpcError } from '../wire/grpc-error.js'
import type { PcsState } from './pcs-state.js'

/** What a unary and a streaming call have in common. */
export interface AnyCall {
  readonly metadata: Metadata
  getPeer(): string
}

/** The bearer token as sent, or an empty text. */
export function bearerOf(call: AnyCall): string {
  const sent = call.metadata.get('authorization')[0]
  return /^Bearer ([^\s]+)$/i.exec(typeof sent === 'string' ? sent : '')?.[1] ?? ''
}

/** Only a live token of the External API client gets in: not a person's access token, not an expired one. */
export function assertAuthenticated(state: PcsState, call: AnyCall): void {
  const token = bearerOf(call)
  if (token === '') throw new GrpcError('UNAUTHENTICATED', 'the bearer token is missing')
  const isLive = (state.ledger.externalToken(token)?.expiresAtMs ?? 0) > Date.now()
  if (!isLive) throw new GrpcError('UNAUTHENTICATED', 'the bearer token is expired or unknown')
}
