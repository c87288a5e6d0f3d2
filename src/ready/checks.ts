import type { RaiseEvent } from '../audit-events.js'
import type { Config } from '../config/options.js'
import { isPpoppoError, PpoppoError, type PpoppoErrorCode } from '../errors.js'
import type { Runtime } from '../lib/runtime.js'
import type { Messaging } from '../messaging/types/methods.js'
import type { Provider } from '../provider/provider.js'
import { probeStore } from '../store/probe.js'
import type { Store } from '../store/store.js'
import type { Secrets } from '../vault/secrets.js'
import type { ReadyCheck } from './ready.js'

/** What the checks need. */
export interface ReadyChecksParts {
  readonly config: Config
  readonly runtime: Runtime
  readonly raise: RaiseEvent
  readonly store: Store
  readonly secrets: Secrets
  readonly provider: Provider
  readonly messaging: Messaging
}

const MESSAGING_DEADLINE_MS = 5_000
/** Errors of PCS after it has been reached with valid credentials. */
const ABOUT_THE_APP: readonly PpoppoErrorCode[] = [
  'permission_denied',
  'precondition_failed',
  'rate_limited',
  'quota_exceeded',
  'messaging_response_invalid',
]

/** What people need to sign in: the store and PAS, and with an External API client the Messaging API. */
export function createReadyChecks(parts: ReadyChecksParts): readonly ReadyCheck[] {
  const { config } = parts
  const checks: readonly ReadyCheck[] = [
    {
      name: 'store',
      check: () => checkStore(parts),
      timeoutError: (waitedMs) => parts.store.silence?.(waitedMs) ?? storeTimeout(waitedMs),
    },
    {
      name: 'provider',
      check: () => parts.provider.check(),
      timeoutError: timeoutErrorOf(
        'provider_unavailable',
        `PAS at ${config.issuer}`,
        'Check PPOPPO_AUTH_URL and the network.',
      ),
    },
    {
      name: 'messaging',
      check: () => checkMessaging(parts),
      timeoutError: timeoutErrorOf(
        'messaging_unavailable',
        `PCS at ${config.messaging.apiUrl}, or the token endpoint ${config.messaging.tokenUrl},`,
        'Check PCS_API_URL, PAS_TOKEN_URL and the network.',
      ),
    },
  ]
  return checks.filter(({ name }) => name !== 'messaging' || config.messaging.credentials !== undefined)
}

/** The memory store is always there; at worst it is full. */
async function checkStore({ config, runtime, store, secrets }: ReadyChecksParts): Promise<void> {
  if (store.kind !== 'memory') await probeStore(store, `ready${runtime.randomBytes(8).toString('hex')}`)
  await secrets.keyRing()
  if (config.ownSession) await secrets.sessionSecrets()
  await store.ready?.()
}

/**
 * Gets a token, a connection and an answer. If PCS answers with an error, that is only a warning: people can sign in all the
 * same, and the field numbers in our definition of the API are not the vendor's.
 */
async function checkMessaging({ messaging, raise }: ReadyChecksParts): Promise<void> {
  const { error } = await messaging.health({ deadlineMs: MESSAGING_DEADLINE_MS })
  if (error === undefined) return
  if (!isPpoppoError(error) || !ABOUT_THE_APP.includes(error.code)) throw error
  raise({ type: 'warning', code: 'messaging', detail: error.message })
}

const storeTimeout = timeoutErrorOf('store_unavailable', 'The store', 'Check that it is running.')

function timeoutErrorOf(code: PpoppoErrorCode, who: string, todo: string): ReadyCheck['timeoutError'] {
  return (waitedMs) => new PpoppoError(code, `${who} did not answer within ${waitedMs} ms. ${todo}`)
}
