import { randomUUID } from 'node:crypto'
import { atMost, pause } from '../messaging/lib/pause.js'
import type { MessagingRuntime } from '../messaging/lib/runtime.js'
import type { Messaging } from '../messaging/types/methods.js'
import type { CallRate, CampaignLedger } from '../store/campaign-ledger.js'
import { ChunkRunner } from './chunk-run.js'
import type { CampaignEngine, ChunkPointer, EngineWorker } from './engine.js'
import { feed } from './feed.js'
import type { Seal } from './seal.js'
import type { CampaignSettings } from './settings.js'
import type { CampaignWork, CampaignWorkOptions } from './types.js'

/** What a {@link Work} is made of. */
export interface WorkParts {
  readonly ledger: CampaignLedger
  readonly seal: Seal
  readonly engine: CampaignEngine
  readonly messaging: Pick<Messaging, 'send' | 'health'>
  readonly settingsOf: (id: string) => Promise<CampaignSettings | undefined>
  readonly rate: CallRate
  readonly options: Required<CampaignWorkOptions>
  readonly warn: (text: string) => void
  readonly runtime: MessagingRuntime
}

const TICK_MS = 500
/** Ticks closer together than this count as one turn of the feeder. */
const TURN_MS = 450
/** If chunks wait, this worker has room, and none came for this long, its connection counts as dead. */
const WATCHDOG_MS = 30_000
const CUT_OFF_GRACE_MS = 3_000

/** A worker: reports that it is alive, offers chunks when it is its turn, and sends those that it gets. */
export class Work implements CampaignWork {
  readonly closed: Promise<void>
  readonly #parts: WorkParts
  readonly #workerId = randomUUID()
  readonly #closing = new AbortController()
  readonly #cutOff = new AbortController()
  readonly #running = new Set<Promise<void>>()
  readonly #runner: ChunkRunner
  #engineWorker: EngineWorker
  #lastChunkAtMs: number
  #isFailing = false
  #settleClosed: () => void = () => {}
  #ending: Promise<void> | undefined
  readonly #ticking: Promise<void>

  constructor(parts: WorkParts) {
    this.#parts = parts
    const { ledger, seal, messaging, settingsOf, rate, options, runtime } = parts
    this.#runner = new ChunkRunner({
      ...{ ledger, seal, messaging, settingsOf, rate, runtime, filters: options.filters },
      workerId: this.#workerId,
      closing: this.#closing.signal,
      cutOff: this.#cutOff.signal,
      onClosed: () => void this.close(),
    })
    this.closed = new Promise((resolve) => {
      this.#settleClosed = resolve
    })
    this.#lastChunkAtMs = runtime.monotonic()
    this.#engineWorker = this.#startEngine()
    this.#ticking = this.#tickUntilClosed()
  }

  close(): Promise<void> {
    this.#ending ??= this.#end()
    return this.#ending
  }

  async #end(): Promise<void> {
    const { options, runtime, ledger } = this.#parts
    this.#closing.abort()
    const idle = (): Promise<void> => Promise.allSettled(this.#running).then(() => {})
    await atMost(options.drainMs, idle(), runtime)
    this.#cutOff.abort(new Error('This worker was closed while the send was under way.'))
    await atMost(CUT_OFF_GRACE_MS, idle(), runtime)
    await this.#ticking
    await this.#engineWorker.close()
    await ledger.seen(this.#workerId, 0, TURN_MS).catch(() => {}) // otherwise it counts as dead after a while
    this.#settleClosed()
  }

  #startEngine(): EngineWorker {
    const { engine, options } = this.#parts
    return engine.work({
      concurrency: options.concurrency,
      handle: (chunk) => this.#handle(chunk),
      onError: (error) => this.#fail(error),
    })
  }

  #handle(chunk: ChunkPointer): Promise<void> {
    this.#lastChunkAtMs = this.#parts.runtime.monotonic()
    const run = this.#runner.run(chunk).catch((error: unknown) => this.#fail(error))
    this.#running.add(run)
    return run.finally(() => this.#running.delete(run))
  }

  async #tickUntilClosed(): Promise<void> {
    while (!this.#closing.signal.aborted) {
      try {
        await this.#tick()
        this.#isFailing = false
      } catch (error) {
        this.#fail(error)
      }
      await pause(TICK_MS, this.#closing.signal, this.#parts.runtime)
    }
  }

  async #tick(): Promise<void> {
    const { ledger, options, engine, settingsOf, rate, runtime } = this.#parts
    const { capacity, isFeeder } = await ledger.seen(this.#workerId, options.concurrency, TURN_MS)
    if (isFeeder) await feed({ ledger, engine, settingsOf, rate, runtime, capacity })
    await this.#watch()
  }

  /** The blocking connection to a Cluster can hang without an error. */
  async #watch(): Promise<void> {
    const { engine, options, runtime, ledger } = this.#parts
    const isQuiet = runtime.monotonic() - this.#lastChunkAtMs > WATCHDOG_MS
    if (!isQuiet || this.#running.size >= options.concurrency) return
    if ((await engine.waiting()) === 0 || (await ledger.rests()) !== undefined) return
    this.#lastChunkAtMs = runtime.monotonic()
    const old = this.#engineWorker
    this.#engineWorker = this.#startEngine()
    await old.close()
  }

  /** Warns once each time that something begins to fail. */
  #fail(error: unknown): void {
    if (this.#isFailing || this.#closing.signal.aborted) return
    this.#isFailing = true
    const message = error instanceof Error ? error.message : 'unknown fault'
    this.#parts.warn(
      `Campaigns are interrupted in this process, and continue automatically once this is fixed: ${message}`,
    )
  }
}
