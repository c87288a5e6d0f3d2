/**
 * Passes the outcome of `promise` to callbacks that are not ours, outside of any promise. What they throw then goes where
 * it would go without this library (to Express's error handling, or `uncaughtException`): it is neither swallowed nor an
 * unhandled rejection.
 */
export function callBack<T>(promise: Promise<T>, onValue: (value: T) => void, onError: (error: unknown) => void): void {
  promise.then(
    (value) => process.nextTick(onValue, value),
    (error: unknown) => process.nextTick(onError, error),
  )
}
