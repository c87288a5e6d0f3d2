/** The endpoints that are counted and that can be made to fail. */
export const ENDPOINTS = ['authorize', 'token', 'userinfo', 'discovery', 'jwks', 'revocation', 'endSession'] as const
export type Endpoint = (typeof ENDPOINTS)[number]

/** How often each endpoint was asked, faults included. */
export interface Counters {
  authorize: number
  /** All token calls; the three grants are counted again on their own. */
  token: number
  tokenAuthorizationCode: number
  tokenRefresh: number
  tokenClientCredentials: number
  userinfo: number
  discovery: number
  jwks: number
  revocation: number
  endSession: number
}

export function createCounters(): Counters {
  return {
    authorize: 0,
    token: 0,
    tokenAuthorizationCode: 0,
    tokenRefresh: 0,
    tokenClientCredentials: 0,
    userinfo: 0,
    discovery: 0,
    jwks: 0,
    revocation: 0,
    endSession: 0,
  }
}
