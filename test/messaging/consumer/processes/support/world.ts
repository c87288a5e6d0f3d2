import { join } from 'node:path'
import { libraryForTests } from '../../../../support/built-library.js'
import { until } from '../../../../support/until.js'
import { OWN_PROTO } from '../../../support/fake-pcs.js'
import { CLIENT, type FakeTokenEndpoint, startTokenEndpoint } from '../../../support/fake-token-endpoint.js'
import { type ConsumerProcess, type ProcessOptions, startConsumerProcess } from './consumer-process.js'
import { Journal } from './journal.js'
import { judgeJournal, type Law } from './judge-journal.js'
import { idAt, type LogPcs, startLogPcs } from './log-pcs.js'

export interface WorldOptions {
  readonly redis: string
  readonly keyPrefix: string
  /** How many sends the events belong to. */
  readonly sends?: number
  readonly consume: ProcessOptions['consume']
  readonly handling?: ProcessOptions['handling']
}

/** Consumer processes of one name, the log they read, and the journal they write. */
export interface ConsumerWorld {
  readonly pcs: LogPcs
  readonly journal: Journal
  readonly processes: readonly ConsumerProcess[]
  /** What keys of the consumer store begin with. */
  readonly storePrefix: string
  readonly name: string
  /** @param more beside, or in place of, what all are given */
  start(more?: Partial<ProcessOptions>): ConsumerProcess
  /** The one that is active, once one is. */
  active(ms?: number): Promise<ConsumerProcess>
  /** When all events of the log have been handled. */
  untilAllHandled(ms?: number): Promise<void>
  /** What was not as promised, see {@link judgeJournal}. */
  complaints(law: Omit<Law, 'ids'>): readonly string[]
  /** Ends what was started; all are told to continue first. */
  close(): Promise<void>
}

export async function startConsumerWorld(options: WorldOptions): Promise<ConsumerWorld> {
  const { redis, keyPrefix, sends = 1, consume, handling = {} } = options
  const messaging = join(await libraryForTests(), 'messaging/index.js')
  const [pcs, tokens]: [LogPcs, FakeTokenEndpoint] = await Promise.all([startLogPcs({ sends }), startTokenEndpoint()])
  const journal = new Journal()
  const processes: ConsumerProcess[] = []
  const name = consume.name ?? 'worker'
  return {
    pcs,
    journal,
    processes,
    name,
    storePrefix: `${keyPrefix}pcs:${CLIENT.clientId}:`,
    start(more = {}) {
      const process = startConsumerProcess(messaging, {
        // The library's copy has no definition beside it.
        client: {
          apiUrl: pcs.url,
          tokenUrl: tokens.url,
          ...CLIENT,
          descriptor: OWN_PROTO,
          redis,
          keyPrefix,
          ...more.client,
        },
        consume: { name, ...consume, ...more.consume },
        handling: { ...handling, ...more.handling },
        journal: journal.path,
      })
      processes.push(process)
      return process
    },
    async active(ms) {
      await until(() => processes.some(({ isActive }) => isActive), 'one is active', ms)
      return processes.find(({ isActive }) => isActive) as ConsumerProcess
    },
    async untilAllHandled(ms) {
      const isDone = (): boolean => journal.ended.size >= pcs.length
      await until(isDone, 'all are handled', ms).catch((error: unknown) => {
        const states = processes.map(({ pid, told, errors }) => ({ pid, told: told.slice(-3), errors: errors() }))
        throw new Error(`${journal.ended.size} of ${pcs.length}; ${JSON.stringify(states)}`, { cause: error })
      })
    },
    complaints: (law) =>
      judgeJournal(journal.lines, { ids: Array.from({ length: pcs.length }, (_, at) => idAt(at)), ...law }),
    async close() {
      for (const one of processes) if (one.isAlive) one.signal('SIGCONT')
      await Promise.all(processes.map((one) => one.kill()))
      pcs.close()
      await tokens.close()
      journal.close()
    },
  }
}
