import { assertCallOptions } from '../config/call-options.js'
import type { Config } from '../config/options.js'
import { PpoppoError } from '../errors.js'
import { isWholeNumber } from '../lib/guards.js'
import type { Runtime } from '../lib/runtime.js'
import { LONGEST_TIMER_MS } from '../lib/wait.js'
import type { DiagnoseOptions, Diagnosis } from './types.js'

/** What `auth.diagnose()` needs. */
export interface CreateDiagnoseParts {
  readonly config: Config
  readonly runtime: Runtime
  /** The environment of the process. */
  readonly env: NodeJS.ProcessEnv
  /** Whether the app has passed a Messaging client of its own, which is not examined. */
  readonly hasOwnMessaging: boolean
}

/** Creates `auth.diagnose()`. The checks are loaded when it is first called. */
export function createDiagnose({
  config,
  runtime,
  env,
  hasOwnMessaging,
}: CreateDiagnoseParts): (options?: DiagnoseOptions) => Promise<Diagnosis> {
  return async (options = {}) => {
    assertCallOptions(options, ['timeoutMs'], 'auth.diagnose')
    const { timeoutMs } = options
    if (timeoutMs !== undefined && !isWholeNumber(timeoutMs, 1, LONGEST_TIMER_MS)) {
      const mustBe = `must be a positive number of milliseconds, ${LONGEST_TIMER_MS} at most`
      throw new PpoppoError('config_invalid', `auth.diagnose: "timeoutMs" ${mustBe}`)
    }
    const { diagnose } = await import('./diagnose.js')
    return diagnose({
      setup: { config, faults: [], env },
      runtime,
      from: process.cwd(),
      nodeVersion: process.versions.node,
      hasOwnMessaging,
      ...(timeoutMs === undefined ? {} : { timeoutMs }),
    })
  }
}
