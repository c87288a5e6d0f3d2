import type { PpoppoEvent } from '../audit-events.js'

/** The part of a pino logger that is used; any logger with these methods will do. */
export interface EventLogger {
  /** What is expected. */
  info(fields: object, message: string): void
  /** What somebody may want to look at. */
  warn(fields: object, message: string): void
  /** What somebody must look at. */
  error(fields: object, message: string): void
}

type Level = keyof EventLogger

const LEVELS: Readonly<Record<PpoppoEvent['type'], Level>> = {
  sign_in: 'info',
  sign_in_refused: 'info',
  sign_out: 'info',
  token_refreshed: 'info',
  rate_limited: 'warn',
  refresh_failed: 'warn',
  revocation_failed: 'warn',
  warning: 'warn',
  vault_unreadable: 'error',
  store_unavailable: 'error',
  provider_fault: 'error',
}
/** Refused sign-ins that the visitor did not cause. */
const OUR_REFUSALS: readonly string[] = [
  'attempt_lost',
  'app_failed',
  'exchange_failed',
  'verification_failed',
  'scope_shortfall',
  'provider_unavailable',
  'store_unavailable',
]

/**
 * For `onEvent`: logs each event to a pino logger, on a level by its type. Events hold no secret, token or ppnum.
 *
 * @example ppoppo({ onEvent: pinoEvents(pino()) })
 */
export function pinoEvents(logger: EventLogger): (event: PpoppoEvent) => void {
  return (event) => {
    const { type, at: _, ...fields } = event
    logger[levelOf(event)]({ event: type, ...fields }, `ppoppo ${type}`)
  }
}

function levelOf(event: PpoppoEvent): Level {
  if (event.type === 'sign_in_refused' && OUR_REFUSALS.includes(event.reason)) return 'warn'
  return LEVELS[event.type]
}
