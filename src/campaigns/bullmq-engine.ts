import type { Queue as BullQueue, Worker as BullWorker } from 'bullmq'
import { PpoppoError } from '../errors.js'
import { TIMED_OUT, within } from '../lib/wait.js'
import { loadBullmq, readBullmqVersion } from '../load-packages.js'
import type { RedisSource } from '../store/redis/client.js'
import { createQueueClient } from '../store/redis/queue-client.js'
import type { CampaignEngine, ChunkPointer, EngineWorker, EngineWorkOptions } from './engine.js'

/** From 6.0.7 to 6.3.2 a worker never resumed after Redis was away for more than five seconds, and reported nothing. */
const [OLDEST, TOO_NEW] = [[6, 3, 3], [7]] as const
const QUEUE_NAME = 'chunks'
const CALL_TIMEOUT_MS = 5_000
const CLOSE_TIMEOUT_MS = 2_000
/** A job whose worker died is removed after one to two of these; until then its chunk cannot be offered again. */
const STALLED_EVERY_MS = 5_000
const LOCK_MS = 15_000
/** Time until the next attempt after Redis failed. */
const RETRY_MS = 250
const EVENTS_KEPT = 1_000
/** BullMQ's codes for: no such job, no lock, not active, locked by another worker. */
const LOST_JOB_CODES: ReadonlySet<number> = new Set([-1, -2, -3, -6])

/** The engine, with the parts that only BullMQ has. */
export interface BullmqEngine extends CampaignEngine {
  /** For dashboards. */
  readonly queue: BullQueue
}

/** What a {@link BullmqEngine} is made of. */
export interface BullmqEngineParts {
  readonly redis: RedisSource
  /** In braces: on a Cluster all keys of a queue share one slot. */
  readonly prefix: string
  /** Version of the installed `bullmq`. @default what it exports */
  readonly version?: string | undefined
}

/** BullMQ carries the chunks. @throws `config_invalid` if it is not installed, or has an unsupported version */
export function createBullmqEngine({ redis, prefix, version = readBullmqVersion() }: BullmqEngineParts): BullmqEngine {
  const { Queue, Worker } = load(version)
  const client = createQueueClient(redis)
  const queue: BullQueue = new Queue(QUEUE_NAME, {
    connection: client,
    prefix,
    streams: { events: { maxLen: EVENTS_KEPT } },
    defaultJobOptions: {
      attempts: 1,
      removeOnComplete: true,
      // A failed job that is kept would take its chunk's id, and the chunk could never be offered again.
      removeOnFail: true,
      stackTraceLimit: 3,
      keepLogs: 0,
    },
  })
  queue.on('error', () => {}) // each failed call rejects, too

  return {
    queue,
    async offer(chunks) {
      if (chunks.length === 0) return
      const jobs = chunks.map((chunk) => ({ name: 'chunk', data: chunk, opts: { jobId: jobIdOf(chunk) } }))
      await inTime(queue.addBulk(jobs))
    },
    waiting: () => inTime(queue.getWaitingCount()),
    work: (options) => startWorker(Worker, { redis, prefix, ...options }),
    async close() {
      await within(queue.close(), CLOSE_TIMEOUT_MS).catch(() => {})
      client.disconnect()
    },
  }
}

function startWorker(
  Worker: typeof BullWorker,
  { redis, prefix, concurrency, handle, onError }: BullmqEngineParts & EngineWorkOptions,
): EngineWorker {
  const client = createQueueClient(redis)
  const worker = new Worker<ChunkPointer>(QUEUE_NAME, async ({ data }) => handle(data), {
    connection: client,
    prefix,
    concurrency,
    lockDuration: LOCK_MS,
    stalledInterval: STALLED_EVERY_MS,
    maxStalledCount: 0, // the ledger would refuse a second run anyway
    runRetryDelay: RETRY_MS,
    removeOnComplete: { count: 0 },
    removeOnFail: { count: 0 },
  })
  worker.on('error', (error) => {
    if (!isAboutLostJob(error)) onError(error)
  })
  return {
    async close() {
      // Not forced at first: jobs that are done must still be marked as such.
      const closed = await within(worker.close(), CLOSE_TIMEOUT_MS).catch(() => TIMED_OUT)
      if (closed === TIMED_OUT) await within(worker.close(true), CLOSE_TIMEOUT_MS).catch(() => {})
      client.disconnect()
    },
  }
}

/** A job whose worker was silent for long, as during an outage, is removed; the ledger has its outcome. */
function isAboutLostJob(error: Error): boolean {
  return 'code' in error && typeof error.code === 'number' && LOST_JOB_CODES.has(error.code)
}

/** Without a colon, which BullMQ reserves. */
function jobIdOf({ campaignId, index }: ChunkPointer): string {
  return `${campaignId}#${index}`
}

/** A queue's connection holds calls back until Redis is there again, so they get a deadline here. */
async function inTime<T>(work: Promise<T>): Promise<T> {
  const result = await within(work, CALL_TIMEOUT_MS)
  if (result === TIMED_OUT)
    throw new PpoppoError('store_unavailable', 'The queue of campaigns does not answer in time.')
  return result
}

function load(version: string | undefined): ReturnType<typeof loadBullmq> {
  const bullmq = loadBullmq()
  const fault = version === undefined ? undefined : explainVersion(version)
  if (fault !== undefined) throw new PpoppoError('config_invalid', fault)
  return bullmq
}

/** What is wrong with a version of BullMQ, and what to do. `undefined`: nothing. */
export function explainVersion(version: string): string | undefined {
  if (isSupported(version)) return undefined
  return `Campaigns need bullmq ${OLDEST.join('.')} or newer, below ${TOO_NEW[0]}, and found ${version}: workers of other versions do not resume after an outage of Redis. Run: npm install bullmq@6`
}

/** Whether a version of BullMQ is supported. */
function isSupported(version: string): boolean {
  const parts = version.split('.', 3).map((part) => Number.parseInt(part, 10))
  const compare = (other: readonly number[]): number => {
    for (const [i, number] of other.entries()) {
      const difference = (parts[i] ?? 0) - number
      if (difference !== 0) return difference
    }
    return 0
  }
  return compare(OLDEST) >= 0 && compare(TOO_NEW) < 0
}
