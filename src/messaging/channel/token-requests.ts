import type { GrantedToken } from './token-request.js'

/** A request that takes longer gets another beside it: it may hang, where a new connection does not. */
const HUNG_MS = 1_000

/** What all who wait for a token wait for. */
interface Round {
  readonly granted: Promise<GrantedToken>
  settle(done: () => void): void
  readonly resolve: (granted: GrantedToken) => void
  readonly reject: (error: unknown) => void
  readonly requests: Set<AbortController>
  hedge: NodeJS.Timeout | undefined
}

/** Makes one request. @param signal ends it */
export type RequestToken = (signal: AbortSignal) => Promise<GrantedToken>

/**
 * Requests for a token, shared by all who ask at the same time. While none has been answered another one is begun each
 * second; the first outcome of any is the outcome of all, and ends the others.
 */
export class TokenRequests {
  readonly #request: RequestToken
  #round: Round | undefined

  constructor(request: RequestToken) {
    this.#request = request
  }

  ask(): Promise<GrantedToken> {
    this.#round ??= this.#open()
    return this.#round.granted
  }

  /** Ends those under way: who waits gets the outcome of the request that is cut off. */
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
      hedge: undefined,
      settle: (done) => {
        if (this.#round === round) this.#round = undefined
        clearTimeout(round.hedge)
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
    round.hedge = setTimeout(() => this.#begin(round), HUNG_MS)
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
