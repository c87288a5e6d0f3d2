import type { QueueEntry, QueueStore, StoredDeadLetter, TakeOptions } from '../consumer-store.js'

interface Waiting {
  readonly text: string
  deliveries: number
  /** When it was last given out, and to whom. */
  takenAt: number
  worker?: string
}

interface MemoryQueue {
  readonly methods: QueueStore
  length(name: string): number
  push(name: string, texts: readonly string[]): void
  clear(): void
}

/** What the queue in memory is made of. */
export interface MemoryQueueParts {
  readonly now: () => number
  /** Throws once the store is closed. */
  readonly assertOpen: () => void
  readonly addLetters: (name: string, letters: readonly StoredDeadLetter[]) => boolean
}

/** What waits for workers, in this process's memory. */
export function createMemoryQueue({ now, assertOpen, addLetters }: MemoryQueueParts): MemoryQueue {
  const queues = new Map<string, Map<string, Waiting>>()
  /** What wakes the calls that wait for an entry, by name. */
  const sleepers = new Map<string, Set<() => void>>()
  let lastId = 0

  const isUnfinished = (entry: Waiting, claimAfterMs: number): boolean =>
    entry.deliveries > 0 && now() - entry.takenAt >= claimAfterMs

  function give(name: string, worker: string, { count, claimAfterMs, unfinished = 'any' }: TakeOptions): QueueEntry[] {
    const entries = [...(queues.get(name) ?? [])]
    const left = entries.find(([, entry]) => isUnfinished(entry, claimAfterMs))
    if (unfinished === 'one' && left !== undefined) return giveOut([left], worker, 1)
    const due = entries.filter(
      ([, entry]) => entry.deliveries === 0 || (unfinished === 'any' && isUnfinished(entry, claimAfterMs)),
    )
    return giveOut(due, worker, count)
  }

  function giveOut(entries: readonly [string, Waiting][], worker: string, count: number): QueueEntry[] {
    const given: QueueEntry[] = []
    for (const [id, entry] of entries) {
      if (given.length >= count) break
      entry.deliveries += 1
      entry.takenAt = now()
      entry.worker = worker
      given.push({ id, text: entry.text, deliveries: entry.deliveries })
    }
    return given
  }

  function untilPushed(name: string, waitMs: number): Promise<void> {
    const sleeping = sleepers.get(name) ?? new Set()
    sleepers.set(name, sleeping)
    return new Promise((resolve) => {
      const wake = (): void => {
        clearTimeout(timer)
        sleeping.delete(wake)
        resolve()
      }
      const timer = setTimeout(wake, waitMs)
      sleeping.add(wake)
    })
  }

  function wakeAll(name: string): void {
    for (const wake of [...(sleepers.get(name) ?? [])]) wake()
  }

  const methods: QueueStore = {
    async take(name, worker, options): Promise<readonly QueueEntry[]> {
      assertOpen()
      const given = give(name, worker, options)
      if (given.length > 0 || options.waitMs <= 0) return given
      await untilPushed(name, options.waitMs)
      assertOpen()
      return give(name, worker, options)
    },
    async finish(name, id, letter): Promise<'finished' | 'full'> {
      assertOpen()
      const queue = queues.get(name)
      if (queue?.has(id) !== true) return 'finished'
      if (letter !== undefined && !addLetters(name, [letter])) return 'full'
      queue.delete(id)
      return 'finished'
    },
    async giveBack(name, worker, { id }): Promise<void> {
      assertOpen()
      const entry = queues.get(name)?.get(id)
      if (entry?.worker !== worker) return
      entry.deliveries = Math.max(0, entry.deliveries - 1)
      entry.takenAt = Number.NEGATIVE_INFINITY
    },
    async hasUnfinished(name, claimAfterMs): Promise<boolean> {
      assertOpen()
      return [...(queues.get(name)?.values() ?? [])].some((entry) => isUnfinished(entry, claimAfterMs))
    },
    async length(name): Promise<number> {
      assertOpen()
      return queues.get(name)?.size ?? 0
    },
  }

  return {
    methods,
    length: (name) => queues.get(name)?.size ?? 0,
    push(name, texts): void {
      const queue = queues.get(name) ?? new Map<string, Waiting>()
      queues.set(name, queue)
      for (const text of texts) queue.set(String(++lastId), { text, deliveries: 0, takenAt: 0 })
      if (texts.length > 0) wakeAll(name)
    },
    clear(): void {
      queues.clear()
      for (const name of sleepers.keys()) wakeAll(name)
    },
  }
}
