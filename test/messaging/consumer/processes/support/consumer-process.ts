import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { ConsumeOptions, MessagingOptions } from '../../../../../src/messaging/index.js'
import { until } from '../../../../support/until.js'

const SCRIPT = fileURLToPath(new URL('consumer-script.mjs', import.meta.url))
const END_LIMIT_MS = 60_000

/** What a consumer process prints; `at` by {@link nowMs}. */
export interface Told {
  readonly type: string
  readonly at: number
  readonly fence?: number
  readonly after?: string
  readonly reason?: string
  readonly code?: string
  readonly message?: string
  readonly eventId?: string
  readonly attempts?: number
}

export interface Report {
  readonly rss: number
  /** Of user and system, since it began. */
  readonly cpuMs: number
  readonly begun: number
  /** Events that came once, or an odd number of times; of a silent process. */
  readonly seen: number
  readonly isActive: boolean
}

export interface ProcessOptions {
  readonly client: Partial<MessagingOptions>
  readonly consume: Partial<ConsumeOptions>
  /** Of the handler: how long it takes, each `everyNth` time. `isSilent`: it counts, and writes no journal. */
  readonly handling?: {
    leastMs?: number
    mostMs?: number
    everyNth?: number
    isSilent?: boolean
    deadly?: DeadlyEvent
  }
}

/**
 * An event that its process does not survive, or not well: it is killed at once; a promise nobody waits for is rejected
 * after `ms`; its event loop is blocked for `ms`, and then the handler is done, or throws.
 */
export interface DeadlyEvent {
  readonly eventId: string
  readonly how: 'kill' | 'reject' | 'block' | 'block-and-throw'
  readonly ms?: number
}

/** A consumer in a process of its own. */
export interface ConsumerProcess {
  readonly pid: number
  readonly told: readonly Told[]
  readonly isAlive: boolean
  /** By what it told; a process that was killed is not. */
  readonly isActive: boolean
  /** What it wrote to standard error: warnings, and what ended it. */
  readonly errors: () => string
  /** The `count`th thing of a type that it told. */
  untilTold(type: string, count?: number, ms?: number): Promise<Told>
  report(): Promise<Report>
  signal(signal: NodeJS.Signals): void
  /** SIGKILL. */
  kill(): Promise<void>
  /** SIGTERM, and waits until it exits by itself. */
  end(): Promise<{ readonly code: number | null; readonly tookMs: number }>
}

/** The clock that processes write to the journal by. */
export const nowMs = (): number => Number(process.hrtime.bigint() / 1000n) / 1000

/** Starts one. An unhandled rejection ends it with an exit code other than 0. */
export function startConsumerProcess(
  library: string,
  options: ProcessOptions & { readonly journal: string },
): ConsumerProcess {
  const args = ['--unhandled-rejections=strict', '--trace-warnings', SCRIPT, library, JSON.stringify(options)]
  const child = spawn(process.execPath, args, {
    stdio: ['pipe', 'pipe', 'pipe'],
    env: { ...process.env, NODE_OPTIONS: '', REDIS_URL: '' },
  })
  const told: Told[] = []
  let [rest, errors] = ['', '']
  child.stdin.on('error', () => {}) // it may have been killed
  child.stderr.on('data', (chunk: Buffer) => {
    errors += chunk.toString()
  })
  child.stdout.on('data', (chunk: Buffer) => {
    const lines = (rest + chunk.toString()).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) told.push(JSON.parse(line))
  })
  const closed = once(child, 'close')
  const isAlive = (): boolean => child.exitCode === null && child.signalCode === null
  const ofType = (type: string): Told[] => told.filter((one) => one.type === type)
  const untilTold = async (type: string, count = 1, ms?: number): Promise<Told> => {
    const isTold = (): boolean => {
      if (ofType(type).length >= count) return true
      if (!isAlive()) throw new Error(`the process ended before it told "${type}": ${errors}`)
      return false
    }
    await until(
      isTold,
      () => `process ${child.pid} tells "${type}" (${count}); it told ${JSON.stringify(told)} ${errors}`,
      ms,
    )
    return ofType(type)[count - 1] as Told
  }
  return {
    pid: child.pid ?? 0,
    told,
    get isAlive() {
      return isAlive()
    },
    get isActive() {
      const last = told.findLast(({ type }) => ['active', 'standby', 'ending', 'closed'].includes(type))
      return isAlive() && last?.type === 'active'
    },
    errors: () => errors,
    untilTold,
    async report() {
      const count = ofType('report').length + 1
      child.stdin.write('report\n')
      return (await untilTold('report', count)) as Told & Report
    },
    signal: (signal) => void child.kill(signal),
    async kill() {
      if (isAlive()) child.kill('SIGKILL')
      await closed
    },
    async end() {
      const beganAt = nowMs()
      if (isAlive()) child.kill('SIGTERM')
      const timer = setTimeout(() => child.kill('SIGKILL'), END_LIMIT_MS)
      await closed
      clearTimeout(timer)
      return { code: child.exitCode, tookMs: nowMs() - beganAt }
    },
  }
}
