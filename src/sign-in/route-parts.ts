import type { RaiseEvent } from '../audit-events.js'
import type { Config } from '../config/options.js'
import type { RequestAddress } from '../http/request-address.js'
import type { Runtime } from '../lib/runtime.js'
import type { Pages } from '../pages/pages.js'
import type { Provider } from '../provider/provider.js'
import type { LandedCookie } from '../session/landed-cookie.js'
import type { OwnSession } from '../session/session.js'
import type { Transactions } from '../session/transactions.js'
import type { SignOutAtPas } from '../user/sign-out-at-pas.js'
import type { Vault } from '../vault/vault.js'
import type { RateLimit } from './rate-limit.js'

/** What the routes are made of; one per instance. */
export interface RouteParts {
  readonly config: Config
  readonly runtime: Runtime
  readonly raise: RaiseEvent
  readonly address: RequestAddress
  readonly pages: Pages
  readonly rateLimit: RateLimit
  readonly provider: Provider
  readonly transactions: Transactions
  readonly vault: Vault
  readonly signOutAtPas: SignOutAtPas
  readonly ownSession: OwnSession
  readonly landed: LandedCookie
  readonly pointerKey: string
  /** Judges a `return_to`; gives an absolute URL that is safe to redirect to. */
  readonly toReturnTo: (wanted: unknown) => string
}
