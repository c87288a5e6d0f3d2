import type { CallFailure } from './status.js'

/*
 * Answers that are not gRPC's: pages of gateways, load balancers and captive portals. grpc-js makes a gRPC status of
 * their HTTP status, or of what it finds in them; none of that is PCS's word.
 */

/** An HTML page or other response that PCS did not send. */
export interface Page {
  /** HTTP status; absent for a 200 that is not gRPC's. */
  readonly status?: number
}

/** What grpc-js says of an HTTP status. */
const HTTP_STATUS = /^Received HTTP status code (\d{3})$/
/** gRPC's content type and no gRPC status: grpc-js makes these of the HTTP status. */
const MADE_OF_HTTP: Readonly<Record<number, number>> = { 401: 16, 403: 7, 404: 12 }
/**
 * With these a request is refused for what is in its head, or for its size (RFC 9110 15.5, RFC 6585): it "has not been
 * applied", and no gateway turns another response into one of these. This is not so for other statuses: a firewall that inspects
 * answers puts its 403 in their place, and so does a gateway that does not find its own page for a 502, by 404 or 405.
 */
const NOT_PASSED_ON: readonly number[] = [401, 407, 413, 414, 421, 431]

/** The page that came instead of PCS's answer; `undefined` if the failure is PCS's own, or grpc-js's. */
export function pageOf({ code, details, isFromPeer, isGrpc }: CallFailure): Page | undefined {
  const text = HTTP_STATUS.exec(details)?.[1]
  const status = text === undefined ? {} : { status: Number(text) }
  if (isGrpc === true) return MADE_OF_HTTP[status.status ?? 0] === code ? status : undefined
  const isAnswer = (isFromPeer && isGrpc === false) || text !== undefined
  return isAnswer ? status : undefined
}

/** Whether the gateway that sent the page provably did not forward the call. */
export function isNotPassedOn({ status }: Page): boolean {
  return status !== undefined && NOT_PASSED_ON.includes(status)
}

/** Whether gRPC's own content type is named: with a codec (`+proto`) or parameters, but not `application/grpc-web`. */
export function isGrpcType(contentType: string | undefined): boolean {
  return contentType !== undefined && /^application\/grpc(?:$|[+; ])/i.test(contentType)
}
