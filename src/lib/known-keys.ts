import { nearest } from './nearest.js'

/** A key that nobody knows, and what is to be said of it. */
export interface UnknownKey {
  /** The key where it looks like a name: someone may have pasted a secret where a name belongs. */
  readonly name: string
  /** The known key it was probably meant to be, or all there are. */
  readonly hint: string
}

/**
 * The keys that reading an option may meet: own ones and, since options may be inherited, those of prototypes, too. Not
 * what somebody has put on `Object.prototype`: nobody asked for that here.
 */
export function keysOf(given: object): readonly string[] {
  const keys: string[] = []
  for (const key in given) {
    if (Object.hasOwn(given, key) || !Object.hasOwn(Object.prototype, key)) keys.push(key)
  }
  // Symbols are shown as what they are: no names.
  for (const symbol of Object.getOwnPropertySymbols(given)) {
    if (Object.prototype.propertyIsEnumerable.call(given, symbol)) keys.push(String(symbol))
  }
  return keys
}

/** The keys of `given` that are not in `known`. Never a value. @param path in front of a suggestion, e.g. `session.` */
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
