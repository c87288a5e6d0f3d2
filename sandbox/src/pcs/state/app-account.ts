import type { Switches } from '../../state/switches.js'
import { GrpcError } from '../wire/grpc-error.js'

const MINUTE_MS = 60_000

/** The limits of the app: calls per minute, messages per month. */
export class AppAccount {
  readonly #switches: Readonly<Switches>
  #windowStartMs = 0
  #callsInWindow = 0
  #month = ''
  #usage = 0
  lastUsedAt: string | undefined

  constructor(switches: Readonly<Switches>) {
    this.#switches = switches
  }

  /** Counts a call. */
  assertMayCall(): void {
    this.#assertState()
    const now = Date.now()
    this.lastUsedAt = new Date(now).toISOString()
    if (now - this.#windowStartMs >= MINUTE_MS) {
      this.#windowStartMs = now
      this.#callsInWindow = 0
    }
    const { pcsRatePerMinute } = this.#switches
    if (this.#callsInWindow >= pcsRatePerMinute) {
      const waitMs = this.#switches.pcsRetryAfterMs ?? this.#windowStartMs + MINUTE_MS - now
      throw new GrpcError('RESOURCE_EXHAUSTED', `rate limit of ${pcsRatePerMinute} calls a minute`, this.#hint(waitMs))
    }
    this.#callsInWindow += 1
  }

  /** Counts messages. */
  spend(messages: number): void {
    const limit = this.#switches.pcsMonthlyLimit
    if (limit !== null && this.monthUsage + messages > limit) {
      const { pcsQuotaHint, pcsRetryAfterMs } = this.#switches
      const hint = pcsQuotaHint ? this.#hint(pcsRetryAfterMs ?? msUntilNextMonth()) : {}
      throw new GrpcError('RESOURCE_EXHAUSTED', `monthly quota of ${limit} messages`, hint)
    }
    this.#usage = this.monthUsage + messages
  }

  get monthUsage(): number {
    const month = new Date().toISOString().slice(0, 7)
    if (month !== this.#month) {
      this.#month = month
      this.#usage = 0
    }
    return this.#usage
  }

  restore(month: string, usage: number): void {
    this.#month = month
    this.#usage = usage
  }

  get month(): string {
    return this.#month
  }

  /** Starts a new minute. */
  forgetCalls(): void {
    this.#callsInWindow = 0
  }

  #assertState(): void {
    switch (this.#switches.pcsAppState) {
      case 'suspended':
        throw new GrpcError('PERMISSION_DENIED', 'app is suspended')
      case 'ip-not-allowed':
        throw new GrpcError('PERMISSION_DENIED', 'IP address is not allowed')
      case 'scope-missing':
        throw new GrpcError('PERMISSION_DENIED', 'scope is missing')
      case 'not-approved':
        throw new GrpcError('FAILED_PRECONDITION', 'app is not approved')
      default:
    }
  }

  #hint(waitMs: number): Record<string, string> {
    const { pcsRetryHint } = this.#switches
    return {
      ...((pcsRetryHint === 'both' || pcsRetryHint === 'ms') && { 'retry-after-ms': String(waitMs) }),
      ...((pcsRetryHint === 'both' || pcsRetryHint === 'seconds') && {
        'retry-after': String(Math.ceil(waitMs / 1000)),
      }),
    }
  }
}

function msUntilNextMonth(): number {
  const now = new Date()
  return Date.UTC(now.getUTCFullYear(), now.getUTCMonth() + 1, 1) - now.getTime()
}
