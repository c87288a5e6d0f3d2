import type { ErrorKey } from './texts/texts.js'

/** An error whose words, by their key, are written for the person who sees them. */
export class HttpError extends Error {
  override readonly name = 'HttpError'
  readonly status: number
  readonly key: ErrorKey

  constructor(status: number, key: ErrorKey) {
    super(key)
    this.status = status
    this.key = key
  }
}
