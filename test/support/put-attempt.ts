import type { Attempt, Store } from '../../src/store/store.js'

/** Stores an attempt with these texts, whenever it begins. @returns when it began */
export async function putAttempt(store: Store, key: string, value: string, ttlMs: number): Promise<number> {
  const { attempt } = await store.putTransaction(
    (begunAt): Attempt & { begunAt: number } => ({ key, value, begunAt }),
    ttlMs,
  )
  if (!attempt) throw new Error('there is no limit that could refuse it')
  return attempt.begunAt
}
