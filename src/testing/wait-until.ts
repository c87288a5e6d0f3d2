import { PpoppoError } from '../errors.js'

/** What {@link waitUntil} is made of. */
export interface WaitParts<T> {
  /** Returns what is waited for, once it is there. */
  readonly look: () => T | undefined
  /** Called after every change. */
  readonly changes: Set<() => void>
  readonly timeoutMs: number
  /** What did not happen, for the error. */
  readonly describe: () => string
  readonly signal?: AbortSignal
}

/** Looks now and after each change. @throws `deadline_exceeded`, and the signal's reason after an abort */
export async function waitUntil<T>({ look, changes, timeoutMs, describe, signal }: WaitParts<T>): Promise<T> {
  let release = (): void => {}
  try {
    return await new Promise<T>((resolve, reject) => {
      const check = (): void => {
        try {
          const found = look()
          if (found !== undefined) resolve(found)
        } catch (error) {
          reject(error)
        }
      }
      const onAbort = (): void => reject(signal?.reason)
      const timer = setTimeout(() => reject(new PpoppoError('deadline_exceeded', describe())), timeoutMs)
      changes.add(check)
      signal?.addEventListener('abort', onAbort)
      release = () => {
        clearTimeout(timer)
        changes.delete(check)
        signal?.removeEventListener('abort', onAbort)
      }
      if (signal?.aborted) onAbort()
      check()
    })
  } finally {
    release()
  }
}
