/*
 * From the library's error codes to words for the person at the screen. Every error of the library has a `code` that
 * stays; its message is written for whoever runs the app, holds no secret, and so may stand beside ours.
 */
import { PpoppoError, type PpoppoErrorCode } from 'express-ppoppo'

export interface Trouble {
  /** For the answer's status line. */
  readonly status: number
  readonly text: string
  /** What to mend, for whoever runs this app; only where the person at the screen can do nothing. */
  readonly forOperator?: string
  readonly tryAgainAt?: Date
}

const WORDS: Readonly<Partial<Record<PpoppoErrorCode, string>>> = {
  config_invalid: 'Messages are set up wrongly in this app.',
  messaging_not_configured: 'Messages are not set up in this app yet.',
  messaging_misconfigured: 'Messages are set up wrongly in this app.',
  credentials_rejected: 'Ppoppo does not accept this app’s messaging credentials.',
  messaging_unavailable: 'Ppoppo’s messaging does not answer right now. Please try again in a moment.',
  deadline_exceeded: 'Ppoppo’s messaging does not answer in time right now. Please try again in a moment.',
  messaging_response_invalid: 'Ppoppo’s messaging answered with something we cannot read.',
  permission_denied: 'Ppoppo does not let this app send messages at the moment.',
  precondition_failed: 'Ppoppo does not deliver this kind of message for us at the moment.',
  not_found: 'Ppoppo does not know this message, or one of these people.',
  request_invalid: 'Ppoppo could not accept this message as it is.',
  rate_limited: 'Too many messages at once.',
  quota_exceeded: 'This app has used up its messages for this month. Please try again next month.',
}

/** What the person at the screen has done, or cannot mend: nothing for those who run the app to look at. */
const NOT_OURS: ReadonlySet<PpoppoErrorCode> = new Set(['messaging_unavailable', 'deadline_exceeded', 'rate_limited'])

const VARIABLES =
  'Set PAS_PCS_CLIENT_ID and PAS_PCS_CLIENT_SECRET to the id and the secret of your External API client, and start the app again. ' +
  'PCS_API_URL and PAS_TOKEN_URL follow PPOPPO_ENVIRONMENT unless they are set.'

/** @throws the error itself, where it is none of the Messaging API's */
export function explain(error: unknown, now: Date = new Date()): Trouble {
  const text = error instanceof PpoppoError ? WORDS[error.code] : undefined
  if (!(error instanceof PpoppoError) || text === undefined) throw error
  const { code, status, message, retryAfterMs } = error
  if (code === 'messaging_not_configured') return { status, text, forOperator: VARIABLES }
  return {
    status,
    text,
    ...(!NOT_OURS.has(code) && { forOperator: message }),
    ...(retryAfterMs !== undefined && { tryAgainAt: new Date(now.getTime() + retryAfterMs) }),
  }
}

/** `send_outcome_unknown`: why we neither say "sent" nor try again. */
export const OUTCOME_UNKNOWN =
  'We handed this to Ppoppo, and the connection broke before the answer came. It may have been sent, or not: nobody can tell from here, ' +
  'so it was not sent again by itself. Ask somebody it went to before you write it anew.'
