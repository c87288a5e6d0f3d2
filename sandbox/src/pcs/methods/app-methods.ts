import { isJsonObject } from '../../lib/json.js'
import { parseTemplate } from '../state/parse-template.js'
import type { PcsState } from '../state/pcs-state.js'
import type { Poll } from '../state/poll-book.js'
import { GrpcError } from '../wire/grpc-error.js'
import type { Work } from './answer-call.js'

const DEFAULT_LIMIT = 50
const MOST = 100

export const createTemplate: Work = (state, request) => {
  const { name, components } = parseTemplate(request)
  const template = state.templates.create(name, components)
  state.changed()
  const { id, isActive, version, createdAt } = template
  return { id, name, is_active: isActive, version, created_at: createdAt }
}

export const getPollResults: Work = (state, request) => {
  const poll = requirePoll(state, request)
  const total = poll.answers.length
  const results = poll.options.map((option) => {
    const count = poll.answers.filter((answer) => answer.option === option).length
    return { option_text: option, count, percentage: total === 0 ? 0 : (count / total) * 100 }
  })
  return { poll_id: poll.id, question: poll.question, results, total_responses: total }
}

/** The cursor is opaque to clients: how many answers were read, which stays right while answers are only added. */
export const listPollResponses: Work = (state, request) => {
  const poll = requirePoll(state, request)
  const { limit, cursor } = isJsonObject(request) ? request : {}
  const count = typeof limit === 'number' && limit > 0 ? Math.min(limit, MOST) : DEFAULT_LIMIT
  if (typeof limit === 'number' && limit < 0) throw new GrpcError('INVALID_ARGUMENT', 'limit must not be negative')
  const start = typeof cursor === 'string' && cursor !== '' ? fromCursor(poll, cursor) : 0
  const end = Math.min(start + count, poll.answers.length)
  const hasMore = end < poll.answers.length
  return {
    responses: poll.answers.slice(start, end).map(({ ppnum, option, respondedAt }) => {
      return { responder_ppnum: ppnum, selected_option: option, responded_at: respondedAt }
    }),
    has_more: hasMore,
    ...(hasMore && { next_cursor: toCursor(end) }),
  }
}

export const getAppStats: Work = ({ switches, account }) => ({
  id: 'app_sandbox',
  name: 'Sandbox app',
  tier: 'sandbox',
  is_active: switches.pcsAppState === 'active',
  rate_limit_per_min: switches.pcsRatePerMinute,
  ...(switches.pcsMonthlyLimit !== null && { monthly_message_limit: switches.pcsMonthlyLimit }),
  current_month_usage: account.monthUsage,
  allowed_ips: [],
  ...(account.lastUsedAt !== undefined && { last_used_at: account.lastUsedAt }),
  system_ppnum: '12300000000',
})

function requirePoll(state: PcsState, request: unknown): Poll {
  const id = isJsonObject(request) ? String(request['poll_id'] ?? '') : ''
  const poll = state.polls.find(id)
  if (poll === undefined) throw new GrpcError('NOT_FOUND', `poll "${id}" does not exist`)
  return poll
}

function toCursor(position: number): string {
  return Buffer.from(`answer ${position}`).toString('base64url')
}

function fromCursor(poll: Poll, cursor: string): number {
  const position = /^answer (\d+)$/.exec(Buffer.from(cursor, 'base64url').toString('utf8'))?.[1]
  if (position === undefined || Number(position) > poll.answers.length) {
    throw new GrpcError('INVALID_ARGUMENT', 'cursor was not issued by this poll')
  }
  return Number(position)
}
