import { nearest } from './nearest.js'

/** An unknown key, with a hint for the error message. */
export interface UnknownKey {
  /** The key if it looks like a name. Otherwise a placeholder, since somebody may have pasted a secret in its place. */
  readonly name: string
  /** The known key that was probably meant, or the list of known keys. */
  readonly hint: string
}

/**
 * The keys of an options object: its own and, since options may be inherited, those of its prototypes. Additions to
 * `Object.prototype` are left out, since nobody meant them as options.
 */
export function keysOf(given: object): readonly string[] {
  const keys: string[] = []
  for (const key in given) {
    if (Object.hasOwn(given, key) || !Object.hasOwn(Object.prototype, key)) keys.push(key)
  }
  // A symbol cannot be an option: list it, so that it is reported.
  for (const symbol of Object.getOwnPropertySymbols(given)) {
    if (Object.prototype.propertyIsEnumerable.call(given, symbol)) keys.push(String(symbol))
  }
  return keys
}

/** The keys of `given` that are not in `known`; never a value. @param path prefix of a suggestion, e.g. `session.` */
export function unknownKeys(given: object, known: readonly string[], path = ''): readonly UnknownKey[] {
  return keysOf(given)
    .filter((key) => !known.includes(key))
    .map((key) => {
      const meant = nearest(key, known)
      return {
        name: /^[A-Za-z_]\w{0,30}$/.test(key) ? key : '(odd name)',
        hint: meant === undefined ? `known are: ${known.join(', ')}` : `did you mean "${path}${meant}"?`,
      }
    })
}
