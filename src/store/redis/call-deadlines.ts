import { CALL_TIMEOUT_MS } from './client.js'

/** How long the calls of one connection may take: a second, and less while Redis says nothing. */
export interface CallDeadlines {
  /** @param blocksMs how long the command itself may wait in Redis, on top of its time */
  begin(blocksMs: number): CallTime
  /** Redis has answered this call, perhaps after its caller gave up. */
  answered(call: CallTime): void
  /** The call's time is over. */
  ranOut(call: CallTime): void
  /** Redis is reachable: a new connection is ready. */
  end(): void
}

/** The time of one call; times are of `performance.now()`. */
export interface CallTime {
  readonly beganAtMs: number
  /** When its caller gives up. */
  readonly giveUpAtMs: number
  /** When a caller with the full second would give up. */
  readonly fullUntilMs: number
}

/** How long a call may take while Redis says nothing, so that a request's second call adds little to its first. */
const SHORT_CALL_TIMEOUT_MS = 250
/** How long after a full wait in vain the next call may wait in full: longer than one request's next call takes. */
const PROBE_PAUSE_MS = 300
/** Without calls in between, short deadlines are over after this time. Longer than a pause and a call that waits in full. */
const SHORT_FOR_MS = 1500

/**
 * Short deadlines are for a silent Redis, not for a slow one. They begin when a call waited its full second and no call was
 * answered meanwhile, and end with any answer that arrives within what would have been a full second. While they last,
 * one call at a time still waits in full, because a slow link must not look like a dead one.
 */
export function createCallDeadlines(): CallDeadlines {
  let shortUntilMs = 0
  let answeredAtMs = 0
  let fullCallBeganAtMs = 0
  let fullCallRanOutAtMs = 0

  const mayWaitInFull = (nowMs: number): boolean =>
    nowMs >= shortUntilMs ||
    (nowMs - fullCallBeganAtMs >= CALL_TIMEOUT_MS && nowMs - fullCallRanOutAtMs >= PROBE_PAUSE_MS)

  return {
    begin(blocksMs) {
      const beganAtMs = performance.now()
      const isFull = mayWaitInFull(beganAtMs)
      if (isFull) fullCallBeganAtMs = beganAtMs
      const fullUntilMs = beganAtMs + CALL_TIMEOUT_MS + blocksMs
      return { beganAtMs, fullUntilMs, giveUpAtMs: isFull ? fullUntilMs : beganAtMs + SHORT_CALL_TIMEOUT_MS + blocksMs }
    },
    answered({ fullUntilMs }) {
      const nowMs = performance.now()
      if (nowMs > fullUntilMs) return
      answeredAtMs = nowMs
      shortUntilMs = 0
    },
    ranOut({ beganAtMs, giveUpAtMs, fullUntilMs }) {
      if (giveUpAtMs < fullUntilMs) return
      fullCallRanOutAtMs = performance.now()
      if (answeredAtMs < beganAtMs) shortUntilMs = fullCallRanOutAtMs + SHORT_FOR_MS
    },
    end(): void {
      answeredAtMs = performance.now()
      shortUntilMs = 0
    },
  }
}
