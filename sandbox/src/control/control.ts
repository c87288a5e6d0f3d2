import type { Endpoint } from '../endpoints.js'
import { type FaultRule, parseFaultRule } from '../faults/fault.js'
import type { PcsControl } from '../pcs/pcs-control.js'
import { type Counters, createCounters } from '../state/counters.js'
import type { IssuedToken } from '../state/ledger.js'
import type { Person } from '../state/people.js'
import type { SandboxState } from '../state/sandbox-state.js'
import { parseSwitches, type Switches } from '../state/switches.js'

/** Everything that can be done to a running sandbox; the control route does the same over HTTP. */
export interface SandboxControl {
  /** Changes switches; those not named stay. @throws TypeError for an unknown switch or a wrong value */
  set(switches: Partial<Switches>): void
  readonly switches: Readonly<Switches>
  /** Makes coming answers go wrong. @throws TypeError listing what is possible */
  inject(rule: FaultRule): void
  /** Faults still to come. */
  readonly pendingFaults: readonly FaultRule[]
  clearFaults(endpoint?: Endpoint): void
  /** A snapshot: it does not count on. */
  readonly counters: Readonly<Counters>
  /** Every token and code issued, for tests that look for them where they must not be. */
  readonly issuedTokens: readonly IssuedToken[]
  readonly people: readonly Person[]
  /** The person takes back all access: refresh answers `invalid_grant`, access tokens 401. By key, e.g. `alex`. */
  revokeUser(personKey: string): void
  /** All access tokens answer 401 from now on; refresh still works. Of one person, or of everybody. */
  expireAccessTokens(personKey?: string): void
  /** New signing key, new kid; the former key leaves the JWKS unless `keepFormer`. */
  rotateKeys(options?: { readonly keepFormer?: boolean }): Promise<void>
  /** Changes facts about a person, e.g. `{ email }`, from the next userinfo on. */
  updatePerson(personKey: string, changes: Partial<Omit<Person, 'key'>>): void
  /** Forgets faults, counters and the list of issued tokens, and puts the switches back as they were at start. */
  reset(): void
  /** Whether the messaging service was started. */
  readonly hasPcs: boolean
  /** The messaging service. @throws Error where it was not started */
  readonly pcs: PcsControl
}

export function createControl(state: SandboxState, pcs: () => PcsControl | undefined): SandboxControl {
  const { switches, faults, counters, ledger, people, storage, keys } = state
  const atStart: Readonly<Switches> = { ...switches }
  return {
    set: (changes) => {
      Object.assign(switches, parseSwitches(changes, people.keys))
    },
    get switches() {
      return { ...switches }
    },
    inject: (rule) => faults.add(parseFaultRule(rule)),
    get pendingFaults() {
      return faults.pending
    },
    clearFaults: (endpoint) => faults.clear(endpoint),
    get counters() {
      return { ...counters }
    },
    get issuedTokens() {
      return ledger.issued
    },
    get people() {
      return people.all
    },
    revokeUser: (personKey) => {
      const { sub } = people.require(personKey)
      storage.removeOfUser(sub)
      ledger.expireAccessTokens((token) => token.sub === sub)
    },
    expireAccessTokens: (personKey) => {
      const sub = personKey === undefined ? undefined : people.require(personKey).sub
      ledger.expireAccessTokens((token) => sub === undefined || token.sub === sub)
    },
    rotateKeys: (options) => keys.rotate(options),
    updatePerson: (personKey, changes) => people.update(personKey, changes),
    reset: () => {
      faults.clear()
      Object.assign(counters, createCounters())
      Object.assign(switches, atStart)
      ledger.forgetIssued()
      pcs()?.reset()
    },
    get hasPcs() {
      return pcs() !== undefined
    },
    get pcs() {
      const running = pcs()
      if (running === undefined) throw new Error('the messaging service is not running: start the sandbox with pcsPort')
      return running
    },
  }
}
