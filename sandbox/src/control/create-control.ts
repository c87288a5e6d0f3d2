import { parseFaultRule } from '../faults/fault.js'
import type { PcsControl } from '../pcs/pcs-control.js'
import { createCounters } from '../state/counters.js'
import type { SandboxState } from '../state/sandbox-state.js'
import { parseSwitches, type Switches } from '../state/switches.js'
import type { SandboxControl } from './control.js'

export interface ControlParts {
  readonly state: SandboxState
  /** The messaging service, once it has started. */
  readonly pcs: () => PcsControl | undefined
}

export function createControl({ state, pcs }: ControlParts): SandboxControl {
  const { switches, faults, counters, ledger, people, storage, keys } = state
  const atStart: Readonly<Switches> = { ...switches }
  const peopleAtStart = people.all
  const reset = (): void => {
    faults.clear()
    Object.assign(counters, createCounters())
    Object.assign(switches, atStart)
    ledger.forgetIssued()
    pcs()?.reset()
  }
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
    reset,
    startOver: () => {
      reset()
      people.replaceAll(peopleAtStart)
      pcs()?.startOver()
    },
    addPeople: (more) => people.add(more),
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
