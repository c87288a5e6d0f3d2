/** What `sendMany` asks of a send, beyond what an app may. */
export interface SendContext {
  /** A request that is larger, encoded, is refused here, by a `TooLargeError`, before anything leaves. */
  readonly maxBytes: number
  /** Once aborted no further attempt is begun; one that is under way may end. */
  readonly noNewAttempts: AbortSignal
  /** Whether what was asked may have been done, should the send end at this moment. Kept up to date by the client. */
  isInDoubt: boolean
}
