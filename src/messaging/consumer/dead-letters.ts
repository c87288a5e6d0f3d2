import { PpoppoError } from '../../errors.js'
import type { ConsumerStore, Letter } from '../../store/consumers.js'
import type { DeadLetter, DeadLetters, EventHandler } from '../consumer-types.js'
import { parseLetterText } from './event-text.js'
import { parseConsumerName } from './settings.js'

const PAGE = 100
const MOST = 10_000

/** The dead letters of a name. @throws `request_invalid` */
export function createDeadLetters(name: string, store: () => ConsumerStore): DeadLetters {
  parseConsumerName(name)
  const read = async (limit: number): Promise<readonly ReadLetter[]> =>
    (await store().letters.list(name, limit)).flatMap(toReadLetter)

  return {
    async list({ limit = PAGE } = {}) {
      return (await read(parseLimit(limit))).map(({ letter }) => letter)
    },
    count: async () => store().letters.count(name),
    remove: async (eventId) => store().letters.remove(name, eventId),
    async replay(handler, { limit = MOST, signal } = {}) {
      if (typeof handler !== 'function') {
        throw new PpoppoError('request_invalid', 'replay: "handler" must be a function: (event) => ...')
      }
      const counts = { replayed: 0, failed: 0 }
      for (const one of await read(parseLimit(limit))) {
        signal?.throwIfAborted()
        if (await isTaken(one.letter, handler, signal)) {
          await store().letters.remove(name, one.id)
          counts.replayed++
        } else counts.failed++
      }
      return counts
    },
  }
}

interface ReadLetter {
  readonly id: string
  readonly letter: DeadLetter
}

function toReadLetter({ id, text }: Letter): readonly ReadLetter[] {
  const letter = parseLetterText(text)
  return letter === undefined ? [] : [{ id, letter }]
}

async function isTaken(
  { event, attempts }: DeadLetter,
  handler: EventHandler,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  try {
    // No consumer is active here, so there is no fence: 0 is smaller than all.
    await handler(event, { signal: signal ?? new AbortController().signal, attempt: attempts + 1, fence: 0 })
    return true
  } catch {
    return false
  }
}

function parseLimit(limit: unknown): number {
  if (Number.isSafeInteger(limit) && Number(limit) >= 1 && Number(limit) <= MOST) return Number(limit)
  throw new PpoppoError('request_invalid', `"limit" must be a whole number from 1 to ${MOST.toLocaleString('en')}.`)
}
