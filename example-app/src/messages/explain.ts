/*
 * From the library's error codes to words for the person at the screen. Every error of the library has a `code` that
 * stays; its message is written for whoever runs the app, holds no secret, and so may stand beside ours.
 */
import { PpoppoError, type PpoppoErrorCode } from 'express-ppoppo'
import { en } from '../texts/en.js'
import type { TroubleKey } from '../texts/texts.js'

export interface Trouble {
  /** Of its words; see texts/. */
  readonly key: TroubleKey
  /** What to fix, for whoever runs this app; only where the person at the screen can do nothing. */
  readonly forOperator?: string
  readonly tryAgainAt?: Date
}

/** Caused by the person at the screen, or temporary: nothing that the operators of the app need to fix. */
const NOT_OURS: ReadonlySet<PpoppoErrorCode> = new Set(['messaging_unavailable', 'deadline_exceeded', 'rate_limited'])

const VARIABLES =
  'Set PAS_PCS_CLIENT_ID and PAS_PCS_CLIENT_SECRET to the id and the secret of your External API client, and start the app again. ' +
  'PCS_API_URL and PAS_TOKEN_URL follow PPOPPO_ENVIRONMENT unless they are set.'

/** @throws the error itself, where it is none of the Messaging API's */
export function explain(error: unknown, now: Date = new Date()): Trouble {
  if (!(error instanceof PpoppoError) || !isKnown(error.code)) throw error
  const { code, message, retryAfterMs } = error
  if (code === 'messaging_not_configured') return { key: code, forOperator: VARIABLES }
  return {
    key: code,
    ...(!NOT_OURS.has(code) && { forOperator: message }),
    ...(retryAfterMs !== undefined && { tryAgainAt: new Date(now.getTime() + retryAfterMs) }),
  }
}

function isKnown(code: string): code is TroubleKey {
  return Object.hasOwn(en.troubles, code)
}
