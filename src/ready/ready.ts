import { assertCallOptions } from '../config/call-options.js'
import { PpoppoError } from '../errors.js'
import { onAbort } from '../lib/on-abort.js'
import { SingleFlight } from '../lib/single-flight.js'
import { LONGEST_TIMER_MS } from '../lib/wait.js'
import { isSignal } from '../messaging/call/call-options.js'
import { isSetupFault } from '../store/redis/faults.js'

/** Options of `auth.ready()`. */
export interface ReadyOptions {
  /** Gives up early: `ready()` rejects with the signal's reason. */
  readonly signal?: AbortSignal
  /** How long to wait for what is not there yet, in milliseconds. @default 10,000 */
  readonly timeoutMs?: number
}

/** Something that must be there before people can sign in. */
export interface ReadyCheck {
  readonly name: string
  /** Resolves where all is well. Ends by itself within seconds. @throws PpoppoError what is wrong, and what to do */
  readonly look: () => Promise<void>
  /** The fault of one that said nothing until the time was up. */
  readonly silence: (waitedMs: number) => PpoppoError
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
  const looks = new SingleFlight<void>()

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

    /** Looks until it is well, the time is up, or here or elsewhere something is wrong that waiting does not change. */
    async function faultOf({ name, look, silence }: ReadyCheck): Promise<PpoppoError | undefined> {
      let last: PpoppoError | undefined
      for (;;) {
        const seen = await unlessAborted(
          looks.run(name, look).then(() => 'well' as const, toFault),
          timeIsUp.signal,
        )
        if (seen === 'well') return undefined
        if (seen === undefined) return last ?? silence(timeoutMs)
        last = seen
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
  return new PpoppoError('closed', 'auth.close() was called: this instance will not be ready any more.')
}

/** All that is wrong, one a line, under the code of what has to be changed first. */
function toError(faults: readonly PpoppoError[]): PpoppoError {
  const [first] = [...faults.filter(isLasting), ...faults]
  const cause = faults.length === 1 ? first : new AggregateError(faults, 'Several things are wrong.')
  const message = ['Not ready:', ...faults.map((fault) => `- ${fault.message}`)].join('\n')
  return new PpoppoError(first?.code ?? 'store_unavailable', message, { cause })
}

/** Whether waiting does not help. */
function isLasting(fault: PpoppoError): boolean {
  return !fault.retryable || isSetupFault(fault)
}

/** A fault of our own is thrown on: no time cures it. */
function toFault(error: unknown): PpoppoError {
  if (error instanceof PpoppoError) return error
  throw error
}

/** `undefined` where the signal is aborted first; what comes of `work` then is nobody's concern. */
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
