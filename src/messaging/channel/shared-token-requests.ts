import type { MessagingRuntime } from '../lib/runtime.js'
import type { GrantedToken } from './token-request.js'

/** If a request takes longer, another one is made beside it: it may hang where a new connection does not. */
export const HUNG_MS = 1_000

/** The requests that all waiting callers share. */
interface Round {
  readonly granted: Promise<GrantedToken>
  settle(done: () => void): void
  readonly resolve: (granted: GrantedToken) => void
  readonly reject: (error: unknown) => void
  readonly requests: Set<AbortController>
  cancelHedge: (() => void) | undefined
}

/** Makes one request. @param signal aborts it */
export type RequestToken = (signal: AbortSignal) => Promise<GrantedToken>

/**
 * Token requests, shared by all concurrent callers. Until one is answered, another one is started each second; the first
 * outcome is the outcome of all, and aborts the others.
 */
export class TokenRequests {
  readonly #request: RequestToken
  readonly #runtime: MessagingRuntime
  #round: Round | undefined

  constructor(request: RequestToken, runtime: MessagingRuntime) {
    this.#request = request
    this.#runtime = runtime
  }

  /** Joins the requests in flight, or makes one. */
  ask(): Promise<GrantedToken> {
    this.#round ??= this.#open()
    return this.#round.granted
  }

  /** Aborts the requests in flight: callers get the outcome of an aborted request. */
  close(): void {
    for (const request of this.#round?.requests ?? []) request.abort()
  }

  #open(): Round {
    const { promise, resolve, reject } = withResolvers<GrantedToken>()
    const requests = new Set<AbortController>()
    const round: Round = {
      granted: promise,
      resolve,
      reject,
      requests,
      cancelHedge: undefined,
      settle: (done) => {
        if (this.#round === round) this.#round = undefined
        round.cancelHedge?.()
        done()
        for (const request of requests) request.abort()
      },
    }
    this.#begin(round)
    return round
  }

  #begin(round: Round): void {
    const request = new AbortController()
    round.requests.add(request)
    round.cancelHedge = this.#runtime.after(HUNG_MS, () => this.#begin(round))
    this.#request(request.signal).then(
      (granted) => round.settle(() => round.resolve(granted)),
      (error: unknown) => round.settle(() => round.reject(error)),
    )
  }
}

/** `Promise.withResolvers`, which Node has from 22 on. */
function withResolvers<T>(): {
  readonly promise: Promise<T>
  readonly resolve: (value: T) => void
  readonly reject: (error: unknown) => void
} {
  let settle: { resolve: (value: T) => void; reject: (error: unknown) => void } | undefined
  const promise = new Promise<T>((resolve, reject) => {
    settle = { resolve, reject }
  })
  if (settle === undefined) throw new TypeError('a promise runs its executor at once')
  return { promise, ...settle }
}
