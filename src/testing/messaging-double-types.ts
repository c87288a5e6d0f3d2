import type { PpoppoErrorCode } from '../errors.js'
import type { MessagingEvent } from '../messaging/types/events.js'
import type { Messaging, PollResponse, SendRequest } from '../messaging/types/methods.js'

/** The answers to a poll, invented by a test. */
export interface PollDouble {
  /** The question. @default '' */
  readonly question?: string
  /** The answers. */
  readonly responses: readonly PollResponse[]
}

/** One send that a {@link MessagingDouble} accepted. */
export interface SentMessage extends SendRequest {
  /** Id of the send, as in the receipt. */
  readonly id: string
  /** When it was accepted. */
  readonly sentAt: Date
}

/** A {@link Messaging} that sends nothing: it validates as the real one does, and remembers what it was given. */
export interface MessagingDouble extends Omit<Messaging, 'waitFor'> {
  /** What was accepted, oldest first. `sendMany` adds one entry for each chunk. */
  readonly sent: readonly SentMessage[]
  /** The newest entry of {@link sent}. */
  last(): SentMessage | undefined
  /**
   * `waitFor(id)` as in {@link Messaging}. `waitFor(predicate)` resolves with the first send that `predicate` accepts, past
   * ones included.
   * @param options.timeoutMs with a predicate: how long to wait @default 1,000
   * @throws `deadline_exceeded` that says how many sends there were
   */
  readonly waitFor: Messaging['waitFor'] & WaitForSend
  /**
   * Makes the next calls fail.
   * @param options.retryAfterMs what the error says about when to retry @default nothing
   * @param options.times how many calls @default 1
   * @throws `request_invalid` for a code that does not exist
   */
  fail(code: PpoppoErrorCode, options?: { readonly retryAfterMs?: number; readonly times?: number }): void
  /**
   * Emits an event to every `events()` and `consume()`. What is left out is filled in; `sendRequestId` is that of the last
   * send.
   * @returns the event, once every consumer has handled it
   */
  emit(event: Partial<MessagingEvent> & Pick<MessagingEvent, 'type'>): Promise<MessagingEvent>
  /** Sets what `polls.results()` and `polls.responses()` return for a poll. */
  setPoll(pollId: string, poll: PollDouble): void
  /** Forgets sends, events, polls, templates, failures and dead letters; consumers go on. For `beforeEach`. */
  reset(): void
}

type WaitForSend = (
  predicate: (sent: SentMessage) => boolean,
  options?: { readonly timeoutMs?: number },
) => Promise<SentMessage>
