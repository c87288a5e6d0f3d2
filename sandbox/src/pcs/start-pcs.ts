import { setTimeout as sleep } from 'node:timers/promises'
import type { Ledger } from '../state/ledger.js'
import type { Switches } from '../state/switches.js'
import { PcsFaultQueue } from './faults/pcs-fault-queue.js'
import { createPcsControl, type PcsControl } from './pcs-control.js'
import { openPcsServer } from './server/pcs-server.js'
import { AppAccount } from './state/app-account.js'
import { Connections } from './state/connections.js'
import { EventLog } from './state/event-log.js'
import type { PcsState } from './state/pcs-state.js'
import { PollBook } from './state/poll-book.js'
import { Schedule } from './state/schedule.js'
import { parseSeedTemplates } from './state/seed-template.js'
import { SendBook } from './state/send-book.js'
import { parseSnapshot, restore, takeSnapshot } from './state/snapshot.js'
import { readStateFile, StateFile } from './state/state-file.js'
import { TemplateBook } from './state/template-book.js'
import type { PcsContract } from './wire/contract.js'
import { createPcsCounters } from './wire/methods.js'

export interface PcsOptions {
  readonly port: number
  readonly host: string
  /** By which names it answers. */
  readonly contract: PcsContract
  readonly switches: Readonly<Switches>
  readonly ledger: Ledger
  /** Where templates, sends, polls and events are kept from one run to the next. @default nowhere */
  readonly stateFile?: string
  /** Templates that are there from the start besides the sandbox's own; as they were given, not yet checked. */
  readonly templates?: unknown
}

/** A running messaging service. */
export interface RunningPcs {
  readonly port: number
  readonly control: PcsControl
  close(): Promise<void>
}

export async function startPcs(options: PcsOptions): Promise<RunningPcs> {
  const { port, host, contract, stateFile } = options
  let file: StateFile | undefined
  const templates = options.templates === undefined ? [] : parseSeedTemplates(options.templates)
  const state = createState({ ...options, save: () => file?.changed() })
  if (stateFile !== undefined) {
    const snapshot = await readStateFile(stateFile, parseSnapshot)
    file = new StateFile(stateFile, () => takeSnapshot(state))
    if (snapshot !== undefined) restore(state, snapshot)
    // Now rather than after the first send: a path that cannot be written should fail at the start.
    await file.save()
  }
  // Templates given now replace those of an earlier run.
  state.templates.restore(templates)
  const closing = new AbortController()
  let server = await openPcsServer(state, { port, host, contract }).catch((error: unknown) => {
    state.schedule.close()
    throw error
  })
  const restart: PcsControl['restart'] = async ({ downMs = 0 } = {}) => {
    await server.close()
    await sleep(downMs, undefined, { signal: closing.signal }).catch(() => {})
    if (!closing.signal.aborted) server = await openPcsServer(state, { port: server.port, host, contract })
  }
  const close = async (): Promise<void> => {
    closing.abort()
    state.schedule.close()
    await server.close()
    await file?.save()
  }
  // Closed twice, it must not write over what a successor has put into the state file by then.
  let closed: Promise<void> | undefined
  return {
    port: server.port,
    control: createPcsControl({ state, server: () => server, restart, ownTemplates: templates }),
    close: () => {
      closed ??= close()
      return closed
    },
  }
}

interface StateParts extends Pick<PcsOptions, 'switches' | 'ledger'> {
  /** Called after each change. */
  readonly save: () => void
}

function createState({ switches, ledger, save }: StateParts): PcsState {
  const listeners = new Set<() => void>()
  return {
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
    changed: () => {
      save()
      for (const listener of [...listeners]) listener()
    },
    onChange: (listener) => {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
  }
}
