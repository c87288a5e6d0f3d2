import { ENDPOINTS, type Endpoint } from '../endpoints.js'

/** How often each endpoint was asked, faults included. */
export interface Counters extends Record<Endpoint, number> {
  /** Token calls are counted by grant as well. */
  tokenAuthorizationCode: number
  tokenRefresh: number
  tokenClientCredentials: number
}

export function createCounters(): Counters {
  const endpoints = Object.fromEntries(ENDPOINTS.map((endpoint) => [endpoint, 0])) as Record<Endpoint, number>
  return { ...endpoints, tokenAuthorizationCode: 0, tokenRefresh: 0, tokenClientCredentials: 0 }
}
