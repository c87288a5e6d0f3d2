/** What `sendMany` asks of a send, beyond an app's options. */
export interface SendContext {
  /** A larger encoded request fails with a `TooLargeError` before anything is sent. */
  readonly maxBytes: number
  /** Once aborted, no further attempt is started; one in flight may finish. */
  readonly noNewAttempts: AbortSignal
  /** Whether the send may have been accepted if it ended at this moment. Kept up to date by the client. */
  isInDoubt: boolean
}
