import { isThenable } from './guards.js'

/**
 * Calls a callback of the app, if there is one. What it throws or rejects with is ignored: a faulty log line is no reason
 * to lose events.
 */
export function notify<State>(callback: ((state: State) => unknown) | undefined, state: State): void {
  try {
    const result = callback?.(state)
    if (isThenable(result)) result.then(undefined, () => {})
  } catch {
    // There is nowhere else to report this: the callback is how the app learns of faults.
  }
}
