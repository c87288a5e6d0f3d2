import { isJsonObject, type JsonObject } from '../../lib/json.js'
import { GrpcError } from '../wire/grpc-error.js'
import { fromStruct } from '../wire/struct.js'
import { isPpnum } from './test-numbers.js'

export interface RecipientInput {
  readonly ppnum: string
  readonly vars: JsonObject
}

export interface PollConfig {
  readonly expiresInHours?: number
  readonly allowMultiple: boolean
}

export interface SendInput {
  readonly templateId: string
  /** One for each number: of several the first. */
  readonly recipients: readonly RecipientInput[]
  readonly pollConfig?: PollConfig
}

const MOST_RECIPIENTS = 1000

/** Checks a `CreateSendRequestReq`. */
export function parseSend(request: unknown): SendInput {
  const { template_id: templateId, recipients, poll_config: poll } = isJsonObject(request) ? request : {}
  if (typeof templateId !== 'string' || templateId === '') throw invalid('template_id is missing')
  const list: readonly unknown[] = Array.isArray(recipients) ? recipients : []
  const byNumber = new Map<string, RecipientInput>()
  for (const [index, entry] of list.entries()) {
    const recipient = parseRecipient(entry, index)
    if (!byNumber.has(recipient.ppnum)) byNumber.set(recipient.ppnum, recipient)
  }
  if (byNumber.size === 0) throw invalid('recipients is empty: it takes 1 to 1000')
  if (byNumber.size > MOST_RECIPIENTS) throw invalid(`recipients holds ${byNumber.size} numbers: it takes 1 to 1000`)
  return { templateId, recipients: [...byNumber.values()], ...(isJsonObject(poll) && { pollConfig: parsePoll(poll) }) }
}

function parseRecipient(entry: unknown, index: number): RecipientInput {
  const { ppnum, vars } = isJsonObject(entry) ? entry : {}
  if (typeof ppnum !== 'string' || !isPpnum(ppnum)) {
    throw invalid(`recipients[${index}].ppnum is malformed: it must be 11 digits or more`)
  }
  return { ppnum, vars: fromStruct(vars) }
}

function parsePoll(poll: JsonObject): PollConfig {
  const hours = poll['expires_in_hours']
  if (typeof hours === 'number' && hours < 1) throw invalid('poll_config.expires_in_hours must be 1 or more')
  return { ...(typeof hours === 'number' && { expiresInHours: hours }), allowMultiple: poll['allow_multiple'] === true }
}

function invalid(details: string): GrpcError {
  return new GrpcError('INVALID_ARGUMENT', details)
}
