import { isTraced, traced } from '../channels.js'
import type { Store } from './store.js'

/** Hears of calls to the store. */
export interface StoreWatch {
  /** Whether this call's time is wanted. */
  isWanted(): boolean
  /** A call that succeeded, in milliseconds. */
  took(ms: number): void
}

/** Everything that is one call to the store. */
const CALLS = [
  'now',
  'putTransaction',
  'takeTransaction',
  'setTransactionOutcome',
  'readTransactionOutcome',
  'createSignIn',
  'readSignIn',
  'writeSignIn',
  'deleteSignIn',
  'listSignIns',
  'deleteAllSignIns',
  'acquireLease',
  'releaseLease',
] as const satisfies readonly (keyof Store)[]

type AnyCall = (...args: never[]) => Promise<unknown>

/** The same store, whose calls show on the channel `express-ppoppo:store` and to `watch`. */
export function traceStore(store: Store, watch: StoreWatch): Store {
  const calls = CALLS.map((operation) => {
    const call = store[operation].bind(store) as AnyCall
    return [operation, watched(call, operation, watch)]
  })
  return Object.assign(Object.create(store), Object.fromEntries(calls))
}

function watched(call: AnyCall, operation: string, watch: StoreWatch): AnyCall {
  return (...args) => {
    const isSeen = isTraced('store')
    if (!isSeen && !watch.isWanted()) return call(...args)
    const startedAt = performance.now()
    const result = isSeen ? traced({ name: 'store', context: { operation } }, () => call(...args)) : call(...args)
    return result.then((value) => {
      watch.took(performance.now() - startedAt)
      return value
    })
  }
}
