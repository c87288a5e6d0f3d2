import type { Request } from 'express'
import type { Config, PpoppoUser } from '../config/options.js'
import { isPpoppoError, PpoppoError } from '../errors.js'
import { APP_DEADLINE_MS, askApp } from '../lib/ask-app.js'
import { TIMED_OUT } from '../lib/wait.js'
import { Refusal } from './refusal.js'

/** The account is encrypted into the record of the sign-in, which every request reads. */
const MAX_ACCOUNT_LENGTH = 4_096

/**
 * For `onSignIn`: rejects the person with a 403 page that shows `reason`.
 *
 * @param reason plain text for the person; it is escaped, and cut after 600 characters
 * @returns an error to throw
 * @example
 * onSignIn: async (user) => {
 *   if (await isBanned(user.sub)) throw denySignIn('This account has been closed.')
 * }
 */
export function denySignIn(reason: string): PpoppoError {
  return new PpoppoError('sign_in_denied', reason)
}

/**
 * Asks the app's `onSignIn` whether this person may sign in.
 *
 * @returns what it returned, as plain JSON data; `undefined` without `onSignIn`
 * @throws `sign_in_denied` as thrown by the app; a {@link Refusal} `app_failed` if anything else goes wrong
 */
export async function askOnSignIn(
  { onSignIn }: Pick<Config, 'onSignIn'>,
  user: PpoppoUser,
  req: Request,
): Promise<unknown> {
  if (!onSignIn) return undefined
  const answer = await askApp(() => onSignIn(user, { req })).catch((error: unknown) => {
    if (isPpoppoError(error, 'sign_in_denied')) throw error
    throw appFailed(`onSignIn threw ${error instanceof Error ? error.name : 'something that is not an Error'}`)
  })
  if (answer === TIMED_OUT) throw appFailed(`onSignIn took longer than ${APP_DEADLINE_MS / 1_000} s`)
  return toPlainData(answer)
}

function toPlainData(value: unknown): unknown {
  if (value === undefined) return undefined
  let text: string | undefined
  try {
    text = JSON.stringify(value)
  } catch {
    throw appFailed('onSignIn returned something that JSON cannot represent')
  }
  if (text === undefined) throw appFailed('onSignIn returned something that JSON cannot represent')
  if (text.length > MAX_ACCOUNT_LENGTH) {
    throw appFailed(
      `onSignIn returned more than ${MAX_ACCOUNT_LENGTH} characters of JSON; return a key and look up the rest`,
    )
  }
  return JSON.parse(text)
}

function appFailed(detail: string): Refusal {
  return new Refusal({ page: 'app_failed', reason: 'app_failed', detail })
}
