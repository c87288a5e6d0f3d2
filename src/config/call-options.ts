import { PpoppoError } from '../errors.js'
import { isPlainObject } from '../lib/guards.js'
import { unknownKeys } from '../lib/known-keys.js'

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
