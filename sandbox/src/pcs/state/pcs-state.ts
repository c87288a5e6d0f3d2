import type { Ledger } from '../../state/ledger.js'
import type { Switches } from '../../state/switches.js'
import type { PcsFaultQueue } from '../faults/pcs-fault-queue.js'
import type { PcsCounters } from '../wire/methods.js'
import type { AppAccount } from './app-account.js'
import type { Connections } from './connections.js'
import type { EventLog } from './event-log.js'
import type { OpenStream } from './open-stream.js'
import type { PollBook } from './poll-book.js'
import type { Schedule } from './schedule.js'
import type { SendBook } from './send-book.js'
import type { TemplateBook } from './template-book.js'

/** The state of one running messaging service; it outlives the server in front of it. */
export interface PcsState {
  readonly switches: Readonly<Switches>
  readonly ledger: Ledger
  readonly templates: TemplateBook
  readonly sends: SendBook
  readonly polls: PollBook
  readonly events: EventLog
  readonly account: AppAccount
  readonly schedule: Schedule
  readonly faults: PcsFaultQueue
  readonly counters: PcsCounters
  readonly streams: Set<OpenStream>
  readonly connections: Connections
  /** Something that belongs in the state file is different now. */
  changed(): void
  /** Calls back after each change, until the returned function is called. */
  onChange(listener: () => void): () => void
}
