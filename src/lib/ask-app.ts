import { type TIMED_OUT, within } from './wait.js'

/** How long a function of the app (`onSignIn`, `onSignOut`, `authorizationParams`) may take, in milliseconds. */
export const APP_DEADLINE_MS = 10_000

/**
 * Calls a function of the app, with a deadline. If it throws before it returns a promise, that is a rejection too.
 *
 * @returns what the function returned, or `TIMED_OUT` after {@link APP_DEADLINE_MS}
 * @throws what the function threw
 * @example const answer = await askApp(() => onSignIn(user, { req }))
 */
export function askApp<T>(call: () => T | Promise<T>): Promise<T | typeof TIMED_OUT> {
  return within((async () => call())(), APP_DEADLINE_MS)
}
