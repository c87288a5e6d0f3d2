import { inspect } from 'node:util'
import type { PpoppoEvent } from '../../src/audit-events.js'
import { isPpoppoError, type PpoppoError } from '../../src/errors.js'
import { type PpoppoOptions, ppoppo } from '../../src/index.js'
import type { ReadyOptions } from '../../src/ready/ready.js'
import { DEV, KEY, SECRET } from './config.js'

/** What passes by itself is retried for so long. A busy machine may need the later ones until its first word. */
const PATIENCE_MS = [700, 4_000, 15_000]

/** What one call of `auth.ready()` on an instance of its own came to. */
export interface Readiness {
  /** Absent where it is ready. */
  readonly error?: PpoppoError
  /** Of {@link Readiness.error}; `'ready'` without one. */
  readonly text: string
  /** The details of all warnings that came until then. */
  readonly warnings: readonly string[]
}

/** Secrets are set, so that no warning tells of them. */
export async function readinessOf(options: PpoppoOptions, ready: ReadyOptions = {}): Promise<Readiness> {
  const events: PpoppoEvent[] = []
  const auth = ppoppo({
    ...DEV,
    sessionSecret: SECRET,
    vaultKeys: KEY,
    onEvent: (event) => events.push(event),
    ...options,
  })
  try {
    const error = await auth.ready(ready).then(
      () => undefined,
      (reason: unknown) => reason,
    )
    const warnings = events.flatMap((event) => (event.type === 'warning' ? [event.detail] : []))
    if (error === undefined) return { text: 'ready', warnings }
    if (!isPpoppoError(error)) throw new Error(`no error of ours: ${inspect(error)}`)
    return { error, text: error.message, warnings }
  } finally {
    await auth.close()
  }
}

/** What ready() says, for as long as it must wait until that is what is expected; else what it says instead. */
export async function faultOf(options: PpoppoOptions, expected: RegExp): Promise<Readiness> {
  let last: Readiness = { text: '', warnings: [] }
  for (const timeoutMs of PATIENCE_MS) {
    last = await readinessOf(options, { timeoutMs })
    if (expected.test(last.text)) return last
  }
  return last
}
