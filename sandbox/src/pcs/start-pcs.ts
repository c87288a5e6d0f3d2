import type { Switches } from '../control/switches.js'
import type { Ledger } from '../pas/ledger.js'
import { AppAccount } from './app-account.js'
import { Connections } from './connections.js'
import { EventLog } from './event-log.js'
import { PcsFaultQueue } from './faults/pcs-fault-queue.js'
import { createPcsCounters } from './methods.js'
import { createPcsControl, type PcsControl } from './pcs-control.js'
import { openPcsServer } from './pcs-server.js'
import type { PcsState } from './pcs-state.js'
import { PollBook } from './poll-book.js'
import { Schedule } from './schedule.js'
import { SendBook } from './send-book.js'
import { TemplateBook } from './template-book.js'

export interface PcsOptions {
  readonly port: number
  readonly host: string
  readonly switches: Readonly<Switches>
  readonly ledger: Ledger
}

/** A running messaging service. */
export interface RunningPcs {
  readonly port: number
  readonly control: PcsControl
  /** Stops, stays away for a while, and comes back on the same port with all it knew. */
  restart(options?: { readonly downMs?: number }): Promise<void>
  close(): Promise<void>
}

export async function startPcs({ port, host, switches, ledger }: PcsOptions): Promise<RunningPcs> {
  const state: PcsState = {
    switches,
    ledger,
    templates: new TemplateBook(),
    sends: new SendBook(),
    polls: new PollBook(),
    events: new EventLog(),
    account: new AppAccount(switches),
    schedule: new Schedule(),
    faults: new PcsFaultQueue(),
    counters: createPcsCounters(),
    streams: new Set(),
    connections: new Connections(),
    changed: () => {},
  }
  let server = await openPcsServer(state, port, host)
  return {
    port: server.port,
    control: createPcsControl(state, () => server),
    restart: async ({ downMs = 0 } = {}) => {
      await server.close()
      await new Promise<void>((resolve) => state.schedule.later(downMs, resolve))
      server = await openPcsServer(state, server.port, host)
    },
    close: async () => {
      state.schedule.close()
      await server.close()
    },
  }
}
