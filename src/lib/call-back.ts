/**
 * Hands what became of `promise` to callbacks that belong to others, outside of any promise: what they throw goes where
 * it would go without us (Express's error handling, or `uncaughtException`), and is neither swallowed nor an unhandled
 * rejection.
 */
export function callBack<T>(promise: Promise<T>, onValue: (value: T) => void, onError: (error: unknown) => void): void {
  promise.then(
    (value) => process.nextTick(onValue, value),
    (error: unknown) => process.nextTick(onError, error),
  )
}
