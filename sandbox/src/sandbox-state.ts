import type { ClientRegistry } from './clients.js'
import type { Counters } from './control/counters.js'
import type { Switches } from './control/switches.js'
import type { FaultQueue } from './faults/fault-queue.js'
import type { Ledger } from './pas/ledger.js'
import type { KeyRing } from './pas/signing-keys.js'
import type { Storage } from './pas/storage.js'
import type { PeopleRegister } from './people-register.js'

/** All that one running sandbox knows. Nothing is kept outside it: many run side by side in one process. */
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
