/** What a client asked `StreamSendRequestEvents` for. */
export interface StreamRequest {
  /** Of the first event wanted, in the log. */
  readonly position: number
  readonly sendRequestId?: string
  readonly afterEventId?: string
}

/** A stream that a client reads now. */
export interface OpenStream {
  readonly request: StreamRequest
  readonly openedAt: string
  /** Events so far. */
  readonly sent: number
  /** Ends it from this side: cleanly, or with a status. */
  end(error?: unknown): void
}
