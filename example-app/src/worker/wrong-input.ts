/** The command or the list is wrong: one line says how, and nothing was sent. */
export class WrongInput extends Error {
  override readonly name = 'WrongInput'
}

/** Of an error of the system: `ENOENT`, `EACCES`. */
export function codeOf(error: unknown): string | undefined {
  return typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : undefined
}
