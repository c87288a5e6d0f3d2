import { toPrintable } from '../visible.js'

/** The command or the list is wrong: one line says how, and nothing was sent. */
export class WrongInput extends Error {
  override readonly name = 'WrongInput'

  /** What comes out of the list or the command line may hold escape sequences, and this is printed. */
  constructor(message: string) {
    super(toPrintable(message))
  }
}

/** Of an error of the system: `ENOENT`, `EACCES`. */
export function codeOf(error: unknown): string | undefined {
  return typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : undefined
}
