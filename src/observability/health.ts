import type { RaiseEvent } from '../audit-events.js'
import { ERROR_CATALOGUE, isPpoppoError, type PpoppoErrorCode } from '../errors.js'
import type { PpoppoFetch } from '../lib/http.js'
import type { StoreWatch } from '../store/traced-store.js'

/** What is known about one of the services that an app depends on. */
export interface ServiceHealth {
  /** By the last real call: `up` or `down`; `unknown` before the first one. */
  readonly status: 'up' | 'down' | 'unknown'
  /** How long a recent call that succeeded took, in milliseconds; absent before the first one. */
  readonly latencyMs?: number
}

/** Result of `auth.health()`. */
export interface Health {
  /** Whether nothing is known to be down. */
  readonly ok: boolean
  /** Redis, or the memory of this process. */
  readonly store: ServiceHealth
  /** PAS. */
  readonly provider: ServiceHealth
  /** PCS. Always `unknown` for a Messaging client of the app's own. */
  readonly messaging: ServiceHealth
}

/** @internal Records how calls went, and sums that up. */
export interface HealthBook {
  readonly report: () => Promise<Health>
  readonly store: StoreWatch
  /** An event sink that notes when the store fails. */
  watchEvents(raise: RaiseEvent): RaiseEvent
  /** A fetch that is noted as a call to PAS. */
  watchProvider(fetch: PpoppoFetch): PpoppoFetch
  /** One call to PCS. */
  readonly noteMessaging: (outcome: { readonly tookMs: number; readonly error?: unknown }) => void
}

/** Of the calls to a store that is up, every 16th is timed: timing all would cost each request. */
const SAMPLE = 16

/** @internal Creates the book behind `auth.health()`: it makes no calls. */
export function createHealthBook(): HealthBook {
  const store = new Service()
  const provider = new Service()
  const messaging = new Service()
  let calls = 0
  return {
    report: async () => {
      const parts = { store: store.health(), provider: provider.health(), messaging: messaging.health() }
      return { ok: Object.values(parts).every(({ status }) => status !== 'down'), ...parts }
    },
    store: {
      isWanted: () => store.isDown || calls++ % SAMPLE === 0,
      took: (ms) => store.up(ms),
    },
    watchEvents: (raise) => (detail, correlationId) => {
      if (detail.type === 'store_unavailable') store.down()
      raise(detail, correlationId)
    },
    watchProvider: (fetch) => async (url, request) => {
      const startedAt = performance.now()
      try {
        const answer = await fetch(url, request)
        // A fetch of the app's own may give anything; what reads the answer reports that.
        const status: unknown = Reflect.get(Object(answer), 'status')
        if (typeof status === 'number' && status < 500) provider.up(performance.now() - startedAt)
        else provider.down()
        return answer
      } catch (error) {
        provider.down()
        throw error
      }
    },
    noteMessaging: ({ tookMs, error }) => {
      if (error !== undefined && saysNothing(error)) return
      if (error === undefined || hasAnswered(error)) messaging.up(tookMs)
      else messaging.down()
    },
  }
}

const NOT_MADE: readonly PpoppoErrorCode[] = ['closed', 'config_invalid', 'messaging_not_configured', 'request_invalid']

/** The app ended the call itself, or it was never made. An error that is not a PpoppoError is the reason of the app's signal. */
function saysNothing(error: unknown): boolean {
  return !isPpoppoError(error) || (NOT_MADE.includes(error.code) && error.grpcCode === undefined)
}

/** A refusal shows that the service is up. */
function hasAnswered(error: unknown): boolean {
  return isPpoppoError(error) && ERROR_CATALOGUE[error.code].status < 500
}

class Service {
  #status: ServiceHealth['status'] = 'unknown'
  #latencyMs: number | undefined

  get isDown(): boolean {
    return this.#status === 'down'
  }

  up(latencyMs: number): void {
    this.#status = 'up'
    this.#latencyMs = Math.round(latencyMs * 100) / 100
  }

  down(): void {
    this.#status = 'down'
  }

  health(): ServiceHealth {
    return { status: this.#status, ...(this.#latencyMs !== undefined && { latencyMs: this.#latencyMs }) }
  }
}
