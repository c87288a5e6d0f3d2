import type { Endpoint } from '../endpoints.js'
import type { FaultRule } from '../faults/fault.js'
import type { PcsControl } from '../pcs/pcs-control.js'
import type { Counters } from '../state/counters.js'
import type { IssuedToken } from '../state/ledger.js'
import type { Person } from '../state/people.js'
import type { Switches } from '../state/switches.js'

/** Controls a running sandbox; the control route does the same over HTTP. */
export interface SandboxControl {
  /** Changes switches; those not named stay. @throws TypeError for an unknown switch or a wrong value */
  set(switches: Partial<Switches>): void
  readonly switches: Readonly<Switches>
  /** Makes the next answers fail. @throws TypeError listing what is possible */
  inject(rule: FaultRule): void
  /** Faults that have not happened yet. */
  readonly pendingFaults: readonly FaultRule[]
  clearFaults(endpoint?: Endpoint): void
  /** A snapshot, which does not change. */
  readonly counters: Readonly<Counters>
  /** Every token and code issued, for tests that look for them where they must not be. */
  readonly issuedTokens: readonly IssuedToken[]
  readonly people: readonly Person[]
  /** The person revokes all access: refresh answers `invalid_grant`, access tokens 401. By key, e.g. `alex`. */
  revokeUser(personKey: string): void
  /** From now on access tokens, of one person or of everybody, answer 401; refresh still works. */
  expireAccessTokens(personKey?: string): void
  /** New signing key, new kid; the former key leaves the JWKS unless `keepFormer`. */
  rotateKeys(options?: { readonly keepFormer?: boolean }): Promise<void>
  /** Changes facts about a person, e.g. `{ email }`, from the next userinfo on. */
  updatePerson(personKey: string, changes: Partial<Omit<Person, 'key'>>): void
  /** Forgets faults, counters and the list of issued tokens, and resets the switches. */
  reset(): void
  /** Restores everything as at the start, including people, sends and templates. Sign-ins and tokens stay valid. */
  startOver(): void
  /** Adds people; one with a known key is replaced. @throws TypeError naming the entry and the field */
  addPeople(people: readonly Person[]): void
  /** Whether the messaging service was started. */
  readonly hasPcs: boolean
  /** The messaging service. @throws Error if it was not started */
  readonly pcs: PcsControl
}
