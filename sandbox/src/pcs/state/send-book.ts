import type { JsonObject } from '../../lib/json.js'
import { createUlid } from '../../lib/ulid.js'
import type { PollConfig, SendInput } from './parse-send.js'

export type SendStatus = 'QUEUED' | 'PROCESSING' | 'COMPLETED' | 'FAILED'
export type RecipientState = 'undecided' | 'delivered' | 'pending_consent' | 'failed' | 'consent_denied'

export interface Recipient {
  readonly ppnum: string
  readonly vars: JsonObject
  state: RecipientState
  messageId?: string
}

/** One accepted `CreateSendRequest`. */
export interface SendRequest {
  readonly id: string
  readonly templateId: string
  readonly acceptedAt: string
  readonly total: number
  readonly pollConfig?: PollConfig
  /** Asked for by a fault: all of it fails. */
  readonly isDoomed: boolean
  status: SendStatus
  delivered: number
  pendingConsent: number
  failed: number
  /** Emptied once it is finished and newer ones need the room. */
  recipients: Recipient[]
}

const MOST_SENDS = 10_000
const MOST_RECIPIENTS_KEPT = 100_000

/** All send requests, bounded: finished ones lose first their recipients, then themselves. */
export class SendBook {
  readonly #byId = new Map<string, SendRequest>()
  readonly #requestBytes = new WeakMap<SendRequest, Uint8Array>()
  #recipientsKept = 0

  accept(input: SendInput, isDoomed: boolean, requestBytes: Uint8Array | undefined): SendRequest {
    const send: SendRequest = {
      id: `snd_${createUlid()}`,
      templateId: input.templateId,
      acceptedAt: new Date().toISOString(),
      total: input.recipients.length,
      ...(input.pollConfig !== undefined && { pollConfig: input.pollConfig }),
      isDoomed,
      status: 'QUEUED',
      delivered: 0,
      pendingConsent: 0,
      failed: 0,
      recipients: input.recipients.map(({ ppnum, vars }) => ({ ppnum, vars, state: 'undecided' })),
    }
    if (requestBytes !== undefined) this.#requestBytes.set(send, requestBytes)
    this.#add(send)
    return send
  }

  find(id: string): SendRequest | undefined {
    return this.#byId.get(id)
  }

  /** The request as its bytes arrived; not kept in the state file. */
  requestBytesOf(send: SendRequest): Uint8Array | undefined {
    return this.#requestBytes.get(send)
  }

  get all(): readonly SendRequest[] {
    return [...this.#byId.values()]
  }

  restore(sends: readonly SendRequest[]): void {
    for (const send of sends) this.#add(send)
  }

  clear(): void {
    this.#byId.clear()
    this.#recipientsKept = 0
  }

  #add(send: SendRequest): void {
    this.#byId.set(send.id, send)
    this.#recipientsKept += send.recipients.length
    for (const old of this.#byId.values()) {
      if (this.#recipientsKept <= MOST_RECIPIENTS_KEPT && this.#byId.size <= MOST_SENDS) return
      if (!isFinished(old)) continue
      this.#recipientsKept -= old.recipients.length
      old.recipients = []
      this.#requestBytes.delete(old)
      if (this.#byId.size > MOST_SENDS) this.#byId.delete(old.id)
    }
  }
}

export function isFinished(send: SendRequest): boolean {
  return send.status === 'COMPLETED' || send.status === 'FAILED'
}
