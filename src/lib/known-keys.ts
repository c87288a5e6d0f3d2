import { nearest } from './nearest.js'

/** A key that nobody knows, and what is to be said of it. */
export interface UnknownKey {
  /** The key where it looks like a name: someone may have pasted a secret where a name belongs. */
  readonly name: string
  /** The known key it was probably meant to be, or all there are. */
  readonly hint: string
}

/** The keys of `given` that are not in `known`. Never a value. @param path in front of a suggestion, e.g. `session.` */
export function unknownKeys(given: object, known: readonly string[], path = ''): readonly UnknownKey[] {
  return Object.keys(given)
    .filter((key) => !known.includes(key))
    .map((key) => {
      const meant = nearest(key, known)
      return {
        name: /^[A-Za-z_]\w{0,30}$/.test(key) ? key : '(odd name)',
        hint: meant === undefined ? `known are: ${known.join(', ')}` : `did you mean "${path}${meant}"?`,
      }
    })
}
