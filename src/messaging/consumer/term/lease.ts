import { PpoppoError } from '../../../errors.js'
import type { ConsumerStore } from '../../../store/consumer-store.js'
import type { StoreFaults } from './store-faults.js'

/** Why a lease ended. */
export interface LeaseLoss {
  readonly reason: 'lease_lost' | 'store_unavailable'
  readonly error?: Error
}

/** How a lease may end. `taken`: it is somebody else's. `late`: this process was stopped or busy for too long. */
type LeaseEnd = 'taken' | 'late' | 'store_fault'

interface LeaseParts {
  readonly store: ConsumerStore
  readonly name: string
  readonly holder: string
  readonly ttlMs: number
  readonly fence: number
  /** Before the store was asked, by the monotonic clock: so it never ends here later than there. */
  readonly askedAt: number
  readonly faults?: StoreFaults
}

/**
 * The right to be the active consumer of a name. It is renewed at a third of its life, and over as soon as it may be
 * somebody else's: by this process's own clock, whether the store answers or not. The clock is the monotonic one: a
 * wall clock that is set back would make two consumers active.
 */
export class Lease {
  readonly fence: number
  readonly #parts: LeaseParts
  readonly #ended = new AbortController()
  #loss: LeaseLoss | undefined
  #end: LeaseEnd | undefined
  #validUntil: number
  #lastError: Error | undefined
  #renewal: NodeJS.Timeout | undefined
  #expiry: NodeJS.Timeout | undefined
  #isLetGo = false

  constructor(parts: LeaseParts) {
    this.#parts = parts
    this.fence = parts.fence
    this.#validUntil = parts.askedAt + parts.ttlMs
    this.#scheduleExpiry()
    this.#scheduleRenewal(parts.ttlMs / 3)
  }

  /** Aborted when the lease is over. */
  get signal(): AbortSignal {
    return this.#ended.signal
  }

  get loss(): LeaseLoss | undefined {
    return this.#loss
  }

  /** Whether the store said that it is somebody else's. */
  get isTaken(): boolean {
    return this.#end === 'taken'
  }

  /** Whether this process was not there to renew it. */
  get wasLate(): boolean {
    return this.#end === 'late'
  }

  /** Asked right before something is begun: timers of a process that was stopped for a while come too late. */
  isValid(): boolean {
    if (this.#loss === undefined && performance.now() >= this.#validUntil) this.#expire()
    return this.#loss === undefined
  }

  /** The store says that it is somebody else's. */
  lose(): void {
    this.#over('taken', { reason: 'lease_lost' })
    this.#end = 'taken'
  }

  /** The store takes nothing of this one's: perhaps it does of another's. */
  giveUp(error: Error): void {
    this.#over('store_fault', { reason: 'store_unavailable', error })
  }

  /** Lets another one in at once. To be called when nothing of this one's is at work any more. */
  async release(): Promise<void> {
    this.#stopTimers()
    const { store, name, holder } = this.#parts
    // If that fails, the lease runs out by itself.
    if (this.#loss?.reason !== 'lease_lost') await store.release(name, holder).catch(() => {})
  }

  /** Renews no more; it runs out by itself. */
  abandon(): void {
    this.#stopTimers()
  }

  async #renew(): Promise<void> {
    const { store, name, holder, ttlMs, faults } = this.#parts
    const askedAt = performance.now()
    try {
      const isOurs = await store.renew(name, holder, ttlMs)
      faults?.worked('renewal')
      if (this.#loss !== undefined) return
      if (!isOurs) return this.lose()
      this.#validUntil = askedAt + ttlMs
      this.#lastError = undefined
      this.#scheduleExpiry()
      this.#scheduleRenewal(ttlMs / 3)
    } catch (error) {
      this.#lastError = error instanceof Error ? error : undefined
      if (this.#lastError !== undefined) faults?.failed('renewal', this.#lastError)
      if (this.#loss === undefined) this.#scheduleRenewal(Math.min(ttlMs / 10, 500))
    }
  }

  #scheduleRenewal(afterMs: number): void {
    if (this.#isLetGo) return
    clearTimeout(this.#renewal)
    this.#renewal = setTimeout(() => void this.#renew(), afterMs)
  }

  #scheduleExpiry(): void {
    if (this.#isLetGo) return
    clearTimeout(this.#expiry)
    this.#expiry = setTimeout(() => this.isValid() && this.#scheduleExpiry(), this.#validUntil - performance.now())
  }

  /** Without an error of the store's it was this process that came too late. */
  #expire(): void {
    const error = this.#lastError
    if (error === undefined) this.#over('late', { reason: 'lease_lost' })
    else this.#over('store_fault', { reason: 'store_unavailable', error })
  }

  #over(end: LeaseEnd, loss: LeaseLoss): void {
    if (this.#loss !== undefined) return
    this.#end = end
    this.#loss = loss
    this.#stopTimers()
    this.#ended.abort(new PpoppoError('closed', 'This consumer is no longer the active one.'))
  }

  #stopTimers(): void {
    this.#isLetGo = true
    clearTimeout(this.#renewal)
    clearTimeout(this.#expiry)
  }
}
