import { assertCallOptions } from '../config/call-options.js'
import { PpoppoError } from '../errors.js'
import { onAbort } from '../lib/on-abort.js'
import { SingleFlight } from '../lib/single-flight.js'
import { LONGEST_TIMER_MS } from '../lib/wait.js'
import { isSignal } from '../messaging/call/call-options.js'
import { isSetupFault } from '../store/redis/faults.js'

/** Options of `auth.ready()`. */
export interface ReadyOptions {
  /** Stops waiting: `ready()` rejects with the signal's reason. */
  readonly signal?: AbortSignal
  /** How long to wait for what is not available yet, in milliseconds. @default 10,000 */
  readonly timeoutMs?: number
}

/** A check of something that people need to sign in. */
export interface ReadyCheck {
  readonly name: string
  /** Resolves if it passes. Has a deadline of its own. @throws PpoppoError what is wrong, and what to do */
  readonly check: () => Promise<void>
  /** The error if there was no result within the time. */
  readonly timeoutError: (waitedMs: number) => PpoppoError
}

const DEFAULT_TIMEOUT_MS = 10_000
const PAUSE_MS = 250

/** What `auth.ready()` needs. */
export interface ReadyParts {
  readonly checks: readonly ReadyCheck[]
  /** Aborted by `close()`. */
  readonly closed: AbortSignal
}

/** Creates `auth.ready()`: it waits until all checks pass. Concurrent callers share each check. */
export function createReady({ checks, closed }: ReadyParts): (options?: ReadyOptions) => Promise<void> {
  const flights = new SingleFlight<void>()

  return async (options = {}) => {
    const { signal, timeoutMs } = parse(options)
    const timeIsUp = new AbortController()
    const noMoreTries = new AbortController()
    const release: (() => void)[] = []
    try {
      await new Promise<void>((resolve, reject) => {
        const timer = setTimeout(endTries, timeoutMs)
        release.push(() => clearTimeout(timer))
        release.push(onAbort(closed, () => reject(closedError())))
        if (signal) release.push(onAbort(signal, () => reject(signal.reason)))
        if (closed.aborted || signal?.aborted) return
        Promise.all(checks.map(faultOf)).then((faults) => {
          const found = faults.filter((fault) => fault !== undefined)
          if (found.length === 0) resolve()
          else reject(toError(found))
        }, reject)
      })
    } finally {
      for (const each of release) each()
      endTries()
    }

    function endTries(): void {
      noMoreTries.abort()
      timeIsUp.abort()
    }

    /** Retries until the check passes, the time is up, or any check has failed for a reason that waiting does not change. */
    async function faultOf({ name, check, timeoutError }: ReadyCheck): Promise<PpoppoError | undefined> {
      let last: PpoppoError | undefined
      for (;;) {
        const result = await unlessAborted(
          flights.run(name, check).then(() => 'passed' as const, toFault),
          timeIsUp.signal,
        )
        if (result === 'passed') return undefined
        if (result === undefined) return last ?? timeoutError(timeoutMs)
        last = result
        if (isLasting(last)) noMoreTries.abort()
        if (await isAbortedWithin(PAUSE_MS, noMoreTries.signal)) return last
      }
    }
  }
}

function parse(options: unknown): { readonly signal: AbortSignal | undefined; readonly timeoutMs: number } {
  assertCallOptions(options, ['signal', 'timeoutMs'], 'auth.ready')
  const { signal, timeoutMs = DEFAULT_TIMEOUT_MS } = options
  if (signal !== undefined && !isSignal(signal))
    throw new PpoppoError('config_invalid', 'auth.ready: "signal" must be an AbortSignal')
  if (typeof timeoutMs !== 'number' || !(timeoutMs > 0 && timeoutMs <= LONGEST_TIMER_MS))
    throw new PpoppoError(
      'config_invalid',
      `auth.ready: "timeoutMs" must be a positive number of milliseconds, ${LONGEST_TIMER_MS} at most`,
    )
  return { signal, timeoutMs }
}

function closedError(): PpoppoError {
  return new PpoppoError('closed', 'auth.close() was called; this instance cannot become ready any more.')
}

/** All faults, one per line, with the code of the one that must be fixed first. */
function toError(faults: readonly PpoppoError[]): PpoppoError {
  const [first] = [...faults.filter(isLasting), ...faults]
  const cause = faults.length === 1 ? first : new AggregateError(faults, 'Several checks failed.')
  const message = ['Not ready:', ...faults.map((fault) => `- ${fault.message}`)].join('\n')
  return new PpoppoError(first?.code ?? 'store_unavailable', message, { cause })
}

/** Whether waiting does not help. */
function isLasting(fault: PpoppoError): boolean {
  return !fault.retryable || isSetupFault(fault)
}

/** Rethrows an unexpected error: it is a bug, and waiting does not help. */
function toFault(error: unknown): PpoppoError {
  if (error instanceof PpoppoError) return error
  throw error
}

/** Resolves to `undefined` if the signal is aborted first; the outcome of `work` is then ignored. */
function unlessAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T | undefined> {
  return new Promise((resolve, reject) => {
    const release = onAbort(signal, () => resolve(undefined))
    work.then(resolve, reject).finally(release)
  })
}

/** Waits for `ms`, or until the signal is aborted. @returns whether it is */
function isAbortedWithin(ms: number, signal: AbortSignal): Promise<boolean> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => {
      release()
      resolve(false)
    }, ms)
    const release = onAbort(signal, () => {
      clearTimeout(timer)
      resolve(true)
    })
  })
}
