import type { Request } from 'express'
import { APP_DEADLINE_MS, type Config, type PpoppoUser } from '../config/options.js'
import { isPpoppoError, PpoppoError } from '../errors.js'
import { TIMED_OUT, within } from '../lib/wait.js'
import { Refusal } from './refusal.js'

/** It is sealed into the sign-in's record, which is read on every request. */
const MAX_ACCOUNT_LENGTH = 4_096

/**
 * For `onSignIn`: refuses the person with a 403 page that shows `reason`.
 *
 * @example
 * onSignIn: async (user) => {
 *   if (await isBanned(user.sub)) throw denySignIn('This account has been closed.')
 * }
 */
export function denySignIn(reason: string): PpoppoError {
  return new PpoppoError('sign_in_denied', reason)
}

/**
 * Asks `onSignIn`.
 * @returns what it returned, as plain JSON data.
 * @throws `sign_in_denied` as thrown by the app; a {@link Refusal} `app_failed` for anything else that goes wrong.
 */
export async function askApp(config: Pick<Config, 'onSignIn'>, user: PpoppoUser, req: Request): Promise<unknown> {
  if (!config.onSignIn) return undefined
  const { onSignIn } = config
  const answer = await within(
    (async () => onSignIn(user, { req }))().catch((error: unknown) => {
      if (isPpoppoError(error, 'sign_in_denied')) throw error
      throw failed(`onSignIn threw ${error instanceof Error ? error.name : 'something that is no Error'}`)
    }),
    APP_DEADLINE_MS,
  )
  if (answer === TIMED_OUT) throw failed(`onSignIn took longer than ${APP_DEADLINE_MS / 1_000} s`)
  return toPlainData(answer)
}

function toPlainData(value: unknown): unknown {
  if (value === undefined) return undefined
  let text: string | undefined
  try {
    text = JSON.stringify(value)
  } catch {
    throw failed('onSignIn returned something that JSON cannot hold')
  }
  if (text === undefined) throw failed('onSignIn returned something that JSON cannot hold')
  if (text.length > MAX_ACCOUNT_LENGTH) {
    throw failed(
      `onSignIn returned more than ${MAX_ACCOUNT_LENGTH} characters of JSON: return a key, and look the rest up`,
    )
  }
  return JSON.parse(text)
}

function failed(detail: string): Refusal {
  return new Refusal({ page: 'app_failed', reason: 'app_failed', detail })
}
