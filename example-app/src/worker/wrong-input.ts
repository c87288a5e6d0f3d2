/** The command or the list is wrong: one line says how, and nothing was sent. */
export class WrongInput extends Error {
  override readonly name = 'WrongInput'
}
