import { isThenable } from './guards.js'

/** Calls a callback of the app's, where there is one. What it throws, or rejects with, is its own affair. */
export function tell<State>(callback: ((state: State) => unknown) | undefined, state: State): void {
  try {
    const result = callback?.(state)
    if (isThenable(result)) result.then(undefined, () => {})
  } catch {
    // The stream goes on: a faulty log line is no reason to lose events.
  }
}
