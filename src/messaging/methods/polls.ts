import { PpoppoError } from '../../errors.js'
import { parseCallOptions } from '../call/call-options.js'
import type { Caller } from '../call/caller.js'
import type { Method } from '../descriptor/descriptor.js'
import type { CallOptions, Messaging, PollResponse, PollResults } from '../types/methods.js'
import { dated, toList, toNumber, toText, type Wire } from '../wire/convert.js'
import { parseId } from '../wire/validate.js'

const PAGE = 100

/** Results of polls, and their single answers. */
export function createPolls(caller: Caller): Messaging['polls'] {
  return {
    async results(pollId, options) {
      caller.assertUsable()
      const id = parseId(pollId, 'pollId')
      const asked = { operation: `polls.results of ${id}`, kind: 'read' } as const
      const encode = (method: Method): Buffer => method.serialize({ poll_id: id })
      return fromPollResults(await caller.unary('getPollResults', encode, asked, options))
    },
    responses: (pollId, options) => readPages(caller, parseId(pollId, 'pollId'), parseCallOptions(options)),
  }
}

/** The deadline applies to each page; the signal is checked before each. */
async function* readPages(caller: Caller, id: string, options: CallOptions): AsyncGenerator<PollResponse> {
  const asked = { operation: `polls.responses of ${id}`, kind: 'read' } as const
  let cursor = ''
  for (;;) {
    const request = { poll_id: id, limit: PAGE, ...(cursor === '' ? {} : { cursor }) }
    const page = fromPollResponses(
      await caller.unary('listPollResponses', (method) => method.serialize(request), asked, options),
    )
    yield* page.responses
    if (!page.hasMore) return
    // An empty or unchanged cursor would loop forever.
    if (page.nextCursor === '' || page.nextCursor === cursor) {
      throw new PpoppoError(
        'messaging_response_invalid',
        `${asked.operation}: PCS reports more pages, but no new cursor.`,
      )
    }
    cursor = page.nextCursor
  }
}

function fromPollResults(wire: Wire): PollResults {
  return {
    pollId: toText(wire['poll_id']),
    question: toText(wire['question']),
    results: toList(wire['results']).map((result) => ({
      optionText: toText(result['option_text']),
      count: toNumber(result['count']),
      percentage: toNumber(result['percentage']),
    })),
    totalResponses: toNumber(wire['total_responses']),
  }
}

/** A page of answers, and the cursor of the next one. */
function fromPollResponses(wire: Wire): {
  readonly responses: readonly PollResponse[]
  readonly hasMore: boolean
  readonly nextCursor: string
} {
  return {
    responses: toList(wire['responses']).map((response) => ({
      responderPpnum: toText(response['responder_ppnum']),
      selectedOption: toText(response['selected_option']),
      ...dated('respondedAt', response['responded_at']),
    })),
    hasMore: wire['has_more'] === true,
    nextCursor: toText(wire['next_cursor']),
  }
}
