import type { Runtime } from '../lib/runtime.js'
import { checkConfig } from './check-config.js'
import { checkMessaging } from './check-messaging.js'
import { checkPackages } from './check-packages.js'
import { checkProvider } from './check-provider.js'
import { checkRedis } from './check-redis.js'
import { finding, notChecked, toDiagnosis } from './finding.js'
import type { DoctorSetup } from './setup.js'
import type { Diagnosis, Finding } from './types.js'

/** What a diagnosis needs. */
export interface DiagnoseParts {
  readonly setup: DoctorSetup
  readonly runtime: Runtime
  /** Folder of the app: where its packages are looked up. */
  readonly from: string
  /** Such as `'22.11.0'`. */
  readonly nodeVersion: string
  /** Whether the app has passed a Messaging client of its own, which is not examined. @default false */
  readonly hasOwnMessaging?: boolean
  /** How long each check may take, in milliseconds. @default 5,000 */
  readonly timeoutMs?: number
}

/** Default of `timeoutMs`. */
export const CHECK_TIMEOUT_MS = 5_000

/** Checks everything that sign-ins and messages need, and says how to fix each fault. Never rejects. */
export async function diagnose({
  setup,
  runtime,
  from,
  nodeVersion,
  hasOwnMessaging = false,
  timeoutMs = CHECK_TIMEOUT_MS,
}: DiagnoseParts): Promise<Diagnosis> {
  const usesRedis = setup.config.redis !== undefined
  const [settings, packages, redis, provider, messaging] = await Promise.all([
    guarded('the configuration', () => checkConfig(setup)),
    guarded('packages', () => checkPackages({ from, nodeVersion, now: runtime.now(), usesRedis })),
    guarded('Redis', () => checkRedis({ setup, runtime, timeoutMs })),
    guarded('PAS', () => checkProvider({ setup, runtime, timeoutMs })),
    guarded('the Messaging API', () => (hasOwnMessaging ? ownMessaging() : checkMessaging({ setup, timeoutMs }))),
  ])
  return toDiagnosis([...settings, ...packages, ...redis, ...provider, ...unlessSwapped(messaging, provider)])
}

function ownMessaging(): readonly Finding[] {
  const what = 'the app has passed a Messaging client of its own: call its health()'
  return [finding('messaging_own_client', { what })]
}

/** A check that throws is a bug of ours, or read a damaged file. Only the name of the error is shown: its message might hold anything. */
async function guarded(
  subject: string,
  check: () => readonly Finding[] | Promise<readonly Finding[]>,
): Promise<readonly Finding[]> {
  try {
    return await check()
  } catch (error) {
    const name = error instanceof Error && /^\w{1,60}$/.test(error.name) ? error.name : 'unknown'
    return [
      finding('doctor_failed', {
        what: `the check of ${subject} crashed (${name})`,
        why: 'It met something that it does not expect. The other findings stand.',
        fix: 'Install the packages again (npm ci), since one may be damaged. Otherwise report it, with the output of this command: it is a bug in express-ppoppo.',
      }),
    ]
  }
}

/** With the clients swapped, what the Messaging API says about the wrong one is a consequence. */
function unlessSwapped(messaging: readonly Finding[], provider: readonly Finding[]): readonly Finding[] {
  if (!provider.some(({ code }) => code === 'clients_swapped')) return messaging
  return [notChecked('messaging_not_checked', 'the Messaging API', ['clients_swapped'])]
}
