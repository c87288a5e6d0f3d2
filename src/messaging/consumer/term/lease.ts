import { PpoppoError } from '../../../errors.js'
import type { ConsumerStore } from '../../../store/consumer-store.js'
import type { MessagingRuntime } from '../../lib/runtime.js'
import type { StoreFaults } from './store-faults.js'

/** Why a lease ended. */
export interface LeaseLoss {
  readonly reason: 'lease_lost' | 'store_unavailable'
  readonly error?: Error
}

/** How a lease ended. `taken`: another process has it. `late`: this process was suspended or busy for too long. */
type LeaseEnd = 'taken' | 'late' | 'store_fault'

/** What {@link Lease} is made of. */
export interface LeaseParts {
  readonly store: ConsumerStore
  readonly runtime: Pick<MessagingRuntime, 'monotonic' | 'after'>
  /** The name of the consumer. */
  readonly name: string
  /** Identifies this run of it. */
  readonly holder: string
  readonly ttlMs: number
  readonly fence: number
  /** When the store was asked, by the monotonic clock: so the lease never ends later here than there. */
  readonly askedAt: number
  readonly faults?: StoreFaults
}

/**
 * The right to be the active consumer of a name. It is renewed after a third of its life, and is over as soon as another
 * process may have it: by the clock of this process, whether the store answers or not. That clock is the monotonic one,
 * because a wall clock that is set back would make two consumers active.
 */
export class Lease {
  readonly fence: number
  readonly #parts: LeaseParts
  readonly #ended = new AbortController()
  #loss: LeaseLoss | undefined
  #end: LeaseEnd | undefined
  #validUntil: number
  #lastError: Error | undefined
  #cancelRenewal = (): void => {}
  #cancelExpiry = (): void => {}
  #isReleased = false

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

  /** Why it is over, if it is. */
  get loss(): LeaseLoss | undefined {
    return this.#loss
  }

  /** Whether the store said that another process has it. */
  get isTaken(): boolean {
    return this.#end === 'taken'
  }

  /** Whether this process was suspended or busy for too long to renew it. */
  get wasLate(): boolean {
    return this.#end === 'late'
  }

  /** Checked right before something is begun: in a process that was suspended, timers fire too late. */
  isValid(): boolean {
    if (this.#loss === undefined && this.#parts.runtime.monotonic() >= this.#validUntil) this.#expire()
    return this.#loss === undefined
  }

  /** The store says that another process has it. */
  lose(): void {
    this.#over('taken', { reason: 'lease_lost' })
    this.#end = 'taken'
  }

  /** The store rejects every write of this process, but perhaps not of another. */
  giveUp(error: Error): void {
    this.#over('store_fault', { reason: 'store_unavailable', error })
  }

  /** Lets another process take over at once. Call it when no handler is running any more. */
  async release(): Promise<void> {
    this.#stopTimers()
    const { store, name, holder } = this.#parts
    // If that fails, the lease expires.
    if (this.#loss?.reason !== 'lease_lost') await store.release(name, holder).catch(() => {})
  }

  /** Renews it no more, so it expires. */
  abandon(): void {
    this.#stopTimers()
  }

  async #renew(): Promise<void> {
    const { store, name, holder, ttlMs, faults, runtime } = this.#parts
    const askedAt = runtime.monotonic()
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
    if (this.#isReleased) return
    this.#cancelRenewal()
    this.#cancelRenewal = this.#parts.runtime.after(afterMs, () => void this.#renew())
  }

  #scheduleExpiry(): void {
    if (this.#isReleased) return
    const { runtime } = this.#parts
    this.#cancelExpiry()
    this.#cancelExpiry = runtime.after(this.#validUntil - runtime.monotonic(), () => {
      if (this.isValid()) this.#scheduleExpiry()
    })
  }

  /** If the store has not failed, this process was too late. */
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
    this.#isReleased = true
    this.#cancelRenewal()
    this.#cancelExpiry()
  }
}
