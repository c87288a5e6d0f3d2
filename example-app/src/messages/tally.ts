/*
 * The state of a send has two sources: Ppoppo's status, when we ask for it, and the events, as they arrive. Either may be
 * behind the other, and a count that a page has shown must not decrease. A send only moves forward, so the source that is
 * further along is right.
 */
import type { SendStatusValue } from 'express-ppoppo'

/** From Ppoppo's status. */
export interface Counts {
  readonly status: SendStatusValue
  readonly total: number
  readonly delivered: number
  readonly pendingConsent: number
  readonly failed: number
}

/** From the events of a send. */
export interface Tally {
  readonly delivered: number
  readonly pendingConsent: number
  readonly failed: number
  /** They said yes, and it is on its way to them. */
  readonly allowed: number
  readonly isCompleted: boolean
}

const STEPS: readonly SendStatusValue[] = ['queued', 'unknown', 'processing', 'completed', 'failed']

/** Of two answers of Ppoppo the one that is further; of two that are as far, the second. */
export function further(one: Counts, other: Counts): Counts {
  return { ...(isFurther(one, other) ? one : other), status: later(one.status, other.status) }
}

export function withTally(counts: Counts, tally: Tally | undefined): Counts {
  if (tally === undefined) return counts
  const { delivered, pendingConsent, failed, allowed, isCompleted } = tally
  const told = { total: counts.total, delivered, pendingConsent, failed }
  // Those who said yes count as waiting when we compare: to Ppoppo's status they may be just that.
  const isOld = isFurther(counts, { ...told, pendingConsent: pendingConsent + allowed })
  return { ...(isOld ? counts : told), status: later(counts.status, isCompleted ? 'completed' : 'processing') }
}

function later(one: SendStatusValue, other: SendStatusValue): SendStatusValue {
  return STEPS.indexOf(one) > STEPS.indexOf(other) ? one : other
}

type Decided = Pick<Counts, 'delivered' | 'failed' | 'pendingConsent'>

function isFurther(one: Decided, other: Decided): boolean {
  const difference = one.delivered + one.failed - other.delivered - other.failed
  return difference === 0 ? one.pendingConsent > other.pendingConsent : difference > 0
}
