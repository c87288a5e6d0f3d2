import { MAX_DEAD_LETTERS } from '../bounds.js'
import type { DeadLetterStore, StoredDeadLetter } from '../consumer-store.js'

interface MemoryDeadLetters {
  readonly methods: DeadLetterStore
  /** Adds those that are not there yet, all or none. @returns whether there was room */
  addAll(name: string, letters: readonly StoredDeadLetter[]): boolean
  clear(): void
}

/** The memory store's dead letters. */
export function createMemoryDeadLetters(assertOpen: () => void): MemoryDeadLetters {
  /** By name: texts by event id, in order of arrival. */
  const lists = new Map<string, Map<string, string>>()
  const listOf = (name: string): Map<string, string> => lists.get(name) ?? new Map()

  function addAll(name: string, letters: readonly StoredDeadLetter[]): boolean {
    const list = listOf(name)
    const ids = new Set(letters.map(({ id }) => id).filter((id) => !list.has(id)))
    if (list.size + ids.size > MAX_DEAD_LETTERS) return false
    for (const { id, text } of letters) if (!list.has(id)) list.set(id, text)
    if (list.size > 0) lists.set(name, list)
    return true
  }

  const methods: DeadLetterStore = {
    async list(name, limit, offset = 0): Promise<readonly StoredDeadLetter[]> {
      assertOpen()
      return [...listOf(name)].slice(offset, offset + Math.max(limit, 0)).map(([id, text]) => ({ id, text }))
    },
    async count(name): Promise<number> {
      assertOpen()
      return listOf(name).size
    },
    async add(name, letter): Promise<'added' | 'full'> {
      assertOpen()
      return addAll(name, [letter]) ? 'added' : 'full'
    },
    async remove(name, id): Promise<boolean> {
      assertOpen()
      return listOf(name).delete(id)
    },
  }
  return { methods, addAll, clear: () => lists.clear() }
}
