import type { FaultQueue } from '../faults/fault-queue.js'
import type { ClientRegistry } from './clients.js'
import type { Counters } from './counters.js'
import type { Ledger } from './ledger.js'
import type { PeopleRegister } from './people-register.js'
import type { KeyRing } from './signing-keys.js'
import type { Storage } from './storage.js'
import type { Switches } from './switches.js'

/** The state of one running sandbox. There is no other: many run side by side in one process. */
export interface SandboxState {
  readonly issuer: string
  readonly port: number
  readonly people: PeopleRegister
  readonly clients: ClientRegistry
  readonly switches: Switches
  readonly counters: Counters
  readonly faults: FaultQueue
  readonly keys: KeyRing
  readonly storage: Storage
  readonly ledger: Ledger
  /** Aborted by `close()`: waiting answers give up. */
  readonly closing: AbortSignal
}
