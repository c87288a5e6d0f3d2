import type { PpoppoEvent, PpoppoEventDetail, RaiseEvent } from './audit-events.js'
import type { Runtime } from './lib/runtime.js'

/** A new id that joins what a person saw and what `onEvent` heard: 16 hexadecimal digits. */
export function newCorrelationId(runtime: Runtime): string {
  return runtime.randomBytes(8).toString('hex')
}

/**
 * Hands events to `onEvent`. An `onEvent` that throws breaks no request. Without one, what an operator must not miss
 * goes to `process.emitWarning`.
 */
export function createEventSink(onEvent: ((event: PpoppoEvent) => void) | undefined, runtime: Runtime): RaiseEvent {
  return (detail, correlationId = newCorrelationId(runtime)) => {
    if (!onEvent) {
      const text = toWarning(detail)
      if (text !== undefined) process.emitWarning(text, 'PpoppoWarning')
      return
    }
    try {
      // An async function is welcome where `void` is asked for, and its failure must not end the process.
      const returned: unknown = onEvent({ at: new Date(runtime.now()).toISOString(), correlationId, ...detail })
      if (returned !== undefined) Promise.resolve(returned).catch(warnOfThrow)
    } catch (error) {
      warnOfThrow(error)
    }
  }
}

function warnOfThrow(error: unknown): void {
  process.emitWarning(`onEvent threw ${error instanceof Error ? error.name : 'something'}`, 'PpoppoWarning')
}

/** What fails a refresh and does not pass by itself. */
const REFRESH_FAULTS = ['provider_misconfigured', 'provider_response_invalid']

function toWarning(detail: PpoppoEventDetail): string | undefined {
  switch (detail.type) {
    case 'warning':
    case 'provider_fault':
      return detail.detail
    case 'refresh_failed':
      return REFRESH_FAULTS.includes(detail.code) ? detail.detail : undefined
    case 'vault_unreadable':
      return `The sign-in ${detail.signInId} does not open with the configured vault keys.`
    default:
      return undefined
  }
}
