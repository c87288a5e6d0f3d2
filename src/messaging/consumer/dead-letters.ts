import { PpoppoError } from '../../errors.js'
import { isWholeNumber } from '../../lib/guards.js'
import { MAX_DEAD_LETTERS } from '../../store/bounds.js'
import type { ConsumerStore, DeadLetterStore } from '../../store/consumer-store.js'
import { isSignal } from '../call/call-options.js'
import type { DeadLetter, DeadLetters, EventHandler } from '../types/consumer.js'
import { checkNames, invalid, parseId, record } from '../wire/validate.js'
import { parseConsumerName } from './term/settings.js'
import { parseLetterText } from './term/stored-texts.js'

const PAGE = 100

/** What {@link createDeadLetters} is made of. */
export interface DeadLettersParts {
  /** The name of the consumer, not yet checked. */
  readonly name: string
  /** The store, opened at its first use. */
  readonly store: () => Pick<ConsumerStore, 'letters'>
}

/** The dead letters of a consumer. @throws `request_invalid` for a bad name */
export function createDeadLetters({ name, store }: DeadLettersParts): DeadLetters {
  parseConsumerName(name)
  const letters = (): DeadLetterStore => store().letters

  return {
    async list(options) {
      const { limit = PAGE } = parseOptions(options, ['limit'])
      const all: DeadLetter[] = []
      for await (const { deadLetter } of readAll(letters(), name, parseLimit(limit))) all.push(deadLetter)
      return all
    },
    count: async () => letters().count(name),
    remove: async (eventId) => letters().remove(name, parseId(eventId, 'eventId')),
    async replay(handler, options) {
      const { limit = MAX_DEAD_LETTERS, signal } = parseOptions(options, ['limit', 'signal'])
      if (typeof handler !== 'function') {
        throw new PpoppoError('request_invalid', 'replay: "handler" must be a function: (event) => ...')
      }
      const counts = { replayed: 0, failed: 0 }
      // Those that are added meanwhile are left for the next time: this handler may be what adds them.
      const most = Math.min(parseLimit(limit), await letters().count(name))
      for await (const one of readAll(letters(), name, most)) {
        signal?.throwIfAborted()
        if (await isHandled(one.deadLetter, handler, signal)) {
          await one.remove()
          counts.replayed++
        } else counts.failed++
      }
      return counts
    },
  }
}

interface ReadDeadLetter {
  readonly deadLetter: DeadLetter
  remove(): Promise<void>
}

/** Page by page: all at once may be too many for one call. */
async function* readAll(store: DeadLetterStore, name: string, limit: number): AsyncGenerator<ReadDeadLetter> {
  let [left, offset] = [limit, 0]
  while (left > 0) {
    const page = await store.list(name, Math.min(PAGE, left), offset)
    if (page.length === 0) return
    left -= page.length
    offset += page.length
    for (const { id, text } of page) {
      const deadLetter = parseLetterText(text)
      const remove = async (): Promise<void> => {
        if (await store.remove(name, id)) offset--
      }
      if (deadLetter !== undefined) yield { deadLetter, remove }
    }
  }
}

async function isHandled(
  { event, attempts }: DeadLetter,
  handler: EventHandler,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  try {
    // No active consumer handles it, so there is no fence; 0 is below all of them.
    await handler(event, { signal: signal ?? new AbortController().signal, attempt: attempts + 1, fence: 0 })
    return true
  } catch {
    return false
  }
}

/** @throws `request_invalid` for an unknown option, or a signal that is not one */
function parseOptions(
  options: unknown,
  known: readonly string[],
): { readonly limit?: unknown; readonly signal?: AbortSignal } {
  if (options === undefined) return {}
  const given = record(options, 'The options', `{ ${known.join(', ')} }`)
  checkNames(given, known, '')
  const { signal, ...rest } = given
  if (signal !== undefined && !isSignal(signal)) throw invalid('signal', 'must be an AbortSignal')
  return { ...rest, ...(signal === undefined ? {} : { signal }) }
}

function parseLimit(limit: unknown): number {
  if (isWholeNumber(limit, 1, MAX_DEAD_LETTERS)) return limit
  const most = MAX_DEAD_LETTERS.toLocaleString('en')
  throw new PpoppoError('request_invalid', `"limit" must be a whole number from 1 to ${most}.`)
}
