import { IncomingMessage } from 'node:http'
import { PpoppoError } from '../errors.js'
import { isPlainObject } from '../lib/guards.js'
import { unknownKeys } from '../lib/known-keys.js'

/**
 * Notices `app.use(ppoppo)`, where Express calls with a request what makes a handler.
 *
 * @param call the function, as the app names it
 * @param write how it is called
 * @throws PpoppoError `config_invalid`
 */
export function assertIsNoRequest(given: unknown, call: string, write: string): void {
  if (given instanceof IncomingMessage)
    throw new PpoppoError('config_invalid', `${call} returns a handler: write ${write}, with parentheses`)
}

/**
 * Checks the options of a public function before it does anything: a misspelt option must not be ignored.
 *
 * @param call the function, as the app calls it
 * @throws PpoppoError `config_invalid`, naming the option and the nearest known one, never a value
 * @example assertCallOptions(options, ['everywhere'], 'req.ppoppo.signOut')
 */
export function assertCallOptions(
  given: unknown,
  known: readonly string[],
  call: string,
): asserts given is Readonly<Record<string, unknown>> {
  if (!isPlainObject(given))
    throw new PpoppoError('config_invalid', `${call}: takes an object with ${known.join(', ')}`)
  const [unknown] = unknownKeys(given, known)
  if (unknown) throw new PpoppoError('config_invalid', `${call}: "${unknown.name}" is not an option; ${unknown.hint}`)
}
