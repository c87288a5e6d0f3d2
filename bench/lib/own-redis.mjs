import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import { findRedisServer } from '../../scripts/lib/find-binary.mjs'
import { freePort } from '../../scripts/lib/ports.mjs'
import { start, whenEnding } from '../../scripts/lib/processes.mjs'
import { REDIS_ADVICE } from '../../scripts/lib/redis.mjs'

const READY_WITHIN_MS = 30_000

/** A Redis of our own that keeps its data on disk, and can be killed, started again, stopped and continued. */
export async function startOwnRedis() {
  const bin = findRedisServer()
  if (!bin) throw new Error(`There is no Redis to kill: ${REDIS_ADVICE}`)
  const folder = mkdtempSync(join(tmpdir(), 'ppoppo-load-redis-'))
  whenEnding(() => rmSync(folder, { recursive: true, force: true }))
  const port = await freePort()
  const url = `redis://127.0.0.1:${port}`
  // `appendfsync no` still hands every write to the system before it is acknowledged, which a killed process loses nothing of;
  // `everysec` may put writes off for two seconds.
  const keep = ['--save', '', '--appendonly', 'yes', '--appendfsync', 'no', '--dir', folder]
  const args = ['--port', `${port}`, '--bind', '127.0.0.1', ...keep]
  let child
  const redis = {
    port,
    url,
    /** Resolves once it answers. */
    async start() {
      child = start(bin, args, { stdio: 'ignore' })
      await untilItAnswers(url, child)
    },
    async kill() {
      const gone = new Promise((resolve) => child.once('exit', resolve))
      child.kill('SIGKILL')
      await gone
    },
    stop: () => child.kill('SIGSTOP'),
    continue: () => child.kill('SIGCONT'),
    /** Works on a stopped one, too. */
    async end() {
      if (child.exitCode === null && child.signalCode === null) await redis.kill()
    },
  }
  await redis.start()
  return redis
}

async function untilItAnswers(url, child) {
  const client = new Redis(url, { lazyConnect: true, retryStrategy: () => 20, maxRetriesPerRequest: null })
  client.on('error', () => {})
  const timer = setTimeout(() => client.disconnect(), READY_WITHIN_MS)
  try {
    await client.connect().catch(() => {})
    await client.ping()
  } catch {
    throw new Error(`redis-server did not start (${child.exitCode ?? `silent for ${READY_WITHIN_MS} ms`})`)
  } finally {
    clearTimeout(timer)
    client.disconnect()
  }
}
