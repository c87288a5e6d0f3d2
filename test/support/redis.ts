import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { randomBytes, randomInt } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe } from '@jest/globals'
import { Redis } from 'ioredis'

/** A Redis server of the test's own. */
export interface RedisServer {
  readonly url: string
  readonly port: number
  /** Of the process that runs now. */
  readonly pid: number
  /** Asks it to end, waits, and removes its folder. */
  stop(): Promise<void>
  /** Ends it at once, as a crash does. */
  kill(): Promise<void>
  /** SIGSTOP: it accepts connections and says nothing. */
  pause(): void
  /** SIGCONT. */
  resume(): void
  /** Starts it on the same port, after `kill()` or `stop()`, with `args` where they are given. */
  restart(args?: readonly string[]): Promise<void>
}

const START_TIMEOUT_MS = 60_000

/** The server binary: `REDIS_SERVER_BIN`, or `redis-server` or `valkey-server` from the PATH. */
export function findRedisServer(): string | undefined {
  const candidates = [process.env['REDIS_SERVER_BIN'], 'redis-server', 'valkey-server']
  return candidates.find((binary) => binary !== undefined && binary !== '' && isRunnable(binary))
}

function isRunnable(binary: string): boolean {
  try {
    execFileSync(binary, ['--version'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

/**
 * `describe` where there is a Redis to test with: `TEST_REDIS_URL`, or a server we can start. Else `describe.skip` with
 * a word why; in CI a missing Redis is a failure.
 */
export function describeWithRedis(name: string, body: () => void): void {
  describeWhere((process.env['TEST_REDIS_URL'] ?? '') !== '' || findRedisServer() !== undefined, name, body)
}

/** Like {@link describeWithRedis}, for tests that start, stop and break servers of their own. */
export function describeWithOwnRedis(name: string, body: () => void): void {
  describeWhere(findRedisServer() !== undefined, name, body)
}

function describeWhere(isThere: boolean, name: string, body: () => void): void {
  const missing = 'no redis-server or valkey-server on the PATH; set REDIS_SERVER_BIN'
  if (!isThere && process.env['CI'] === 'true') throw new Error(missing)
  if (isThere) describe(name, body)
  else describe.skip(`${name} (${missing})`, body)
}

/** Below those that systems give to outgoing connections, so that no such connection takes one while its server is away. */
const PORTS = { from: 10_000, to: 22_000 }

/** A port that was free a moment ago. The one 10,000 above, for the bus of a Redis Cluster, is no outgoing one either. */
export async function findFreePort(): Promise<number> {
  for (;;) {
    const port = randomInt(PORTS.from, PORTS.to)
    const server = createServer().listen(port, '127.0.0.1')
    const isFree = await once(server, 'listening').then(
      () => true,
      () => false,
    )
    if (!isFree) continue
    server.close()
    await once(server, 'close')
    return port
  }
}

/** Starts a Redis server on 127.0.0.1, without persistence, and waits until it answers. */
export async function startRedis({
  port,
  args = [],
}: {
  port?: number
  args?: readonly string[]
} = {}): Promise<RedisServer> {
  const binary = findRedisServer()
  if (binary === undefined) throw new Error('no redis-server or valkey-server on the PATH; set REDIS_SERVER_BIN')
  const ownPort = port ?? (await findFreePort())
  const folder = mkdtempSync(join(tmpdir(), 'ppoppo-redis-'))
  const fixed = ['--port', String(ownPort), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no', '--dir', folder]
  let child = await launch(binary, [...positional(args), ...fixed, ...options(args)])

  const end = async (signal: NodeJS.Signals): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return
    const exited = once(child, 'exit')
    child.kill(signal)
    await exited
  }
  return {
    url: `redis://127.0.0.1:${ownPort}`,
    port: ownPort,
    get pid() {
      return child.pid ?? 0
    },
    async stop() {
      await end('SIGKILL') // nothing is kept, so nothing is lost; SIGTERM may wait for replicas
      rmSync(folder, { recursive: true, force: true })
    },
    kill: () => end('SIGKILL'),
    pause: () => void child.kill('SIGSTOP'),
    resume: () => void child.kill('SIGCONT'),
    async restart(newArgs = args) {
      child = await launch(binary, [...positional(newArgs), ...fixed, ...options(newArgs)])
    },
  }
}

/** A configuration file (Sentinel's) comes first. */
const positional = (args: readonly string[]): readonly string[] =>
  args.slice(0, args[0]?.startsWith('--') === false ? 1 : 0)
const options = (args: readonly string[]): readonly string[] => args.slice(positional(args).length)

async function launch(binary: string, args: readonly string[]): Promise<ChildProcess> {
  const child = spawn(binary, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  let log = ''
  const isUp = new Promise<void>((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`Redis did not start in time:\n${log}`)), START_TIMEOUT_MS)
    child.once('error', reject)
    child.once('exit', () => reject(new Error(`Redis ended at its start:\n${log}`)))
    child.stdout.on('data', (chunk: Buffer) => {
      log += chunk.toString()
      if (!/Ready to accept connections|Sentinel ID is/.test(log)) return
      log = ''
      clearTimeout(timer)
      resolve()
    })
  })
  await isUp
  return child
}

/** A Redis for ordinary tests. */
export interface TestRedis {
  readonly url: string
  /** A prefix of its own for each call, ending with a colon. */
  prefix(): string
  /** A plain client, to look at what the library wrote. Closed at the end of the file. */
  readonly client: Redis
}

/**
 * The Redis at `TEST_REDIS_URL`, else one started for this test file. Call inside `beforeAll`; it closes by itself.
 */
export async function redisForTests(): Promise<TestRedis> {
  const given = process.env['TEST_REDIS_URL']
  const server = given === undefined || given === '' ? await startRedis() : undefined
  const url = server?.url ?? given ?? ''
  const client = new Redis(url)
  closeLater.push(async () => {
    client.disconnect()
    await server?.stop()
  })
  return { url, client, prefix: () => `test:${randomBytes(6).toString('hex')}:` }
}

const closeLater: (() => Promise<void>)[] = []
afterAll(async () => {
  for (const close of closeLater.splice(0)) await close()
})
