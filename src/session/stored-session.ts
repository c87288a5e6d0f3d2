import type { SignInPointer } from './pointer.js'

/** What the store has of a session. The same for all requests of a session, until it changes. */
export interface StoredSession {
  /** As JSON, without when the cookie was sent. */
  readonly text: string
  /** When its cookie was last sent, in milliseconds since the epoch; `undefined` if unknown. */
  readonly sentAt: number | undefined
  /** The content as JSON, to see whether it changes. */
  readonly savedText: string
  /** How long its cookie lives, in milliseconds; `null` until the browser is closed. */
  readonly originalMaxAge: number | null
  /** The sign-in it points at. */
  readonly pointer: SignInPointer | undefined
}
