import { setTimeout as sleep } from 'node:timers/promises'
import { Redis } from 'ioredis'
import { provideRedis, REDIS_ADVICE } from '../../scripts/lib/redis.mjs'

const SETTLED_TTL_MS = 2 * 60 * 60_000

/** A Redis of our own, and a client that looks into it. */
export async function startRedis() {
  const { REDIS_URL: _theirs, ...env } = process.env
  const found = await provideRedis(env)
  if (!found) throw new Error(`There is no Redis: ${REDIS_ADVICE}`)
  return { url: found.url, ...clientOf(found.url) }
}

/** A client that looks into a Redis. */
export function clientOf(url) {
  const client = new Redis(url)
  return {
    client,
    /** Commands handled so far by name, ours left out, and the CPU time of the server in microseconds. */
    async stats() {
      const info = await client.info('everything')
      const number = (name) => Number(new RegExp(`^${name}:([\\d.]+)`, 'm').exec(info)?.[1] ?? 0)
      const commands = {}
      for (const [, name, calls] of info.matchAll(/^cmdstat_([\w|-]+):calls=(\d+)/gm)) commands[name] = Number(calls)
      delete commands.info
      return { commands, cpuMicros: (number('used_cpu_user') + number('used_cpu_sys')) * 1_000_000 }
    },
    /**
     * How many commands clients send while `work` runs, and how many scripts call; nobody else may use this Redis.
     * @returns {Promise<{ sent: number, inScripts: number }>}
     */
    async commandsOf(work) {
      const counts = { sent: 0, inScripts: 0 }
      const monitor = await client.monitor()
      monitor.on('monitor', (_time, _args, source) => {
        counts[source === 'lua' ? 'inScripts' : 'sent'] += 1
      })
      try {
        await work()
        // What is sent beside the last answer, and its line.
        await sleep(100)
        return counts
      } finally {
        monitor.disconnect()
      }
    },
    /** Keys without those that live for less than two hours: login attempts, their outcomes, rate limits. */
    async settledKeys() {
      const keys = await client.keys('*')
      const ttlsMs = await Promise.all(keys.map((key) => client.pttl(key)))
      return keys.filter((_, index) => ttlsMs[index] < 0 || ttlsMs[index] >= SETTLED_TTL_MS)
    },
    /** How many of those there are, and their bytes. */
    async settledMemory() {
      const keys = await this.settledKeys()
      const bytes = await Promise.all(keys.map((key) => client.memory('USAGE', key, 'SAMPLES', 0)))
      return { keys: keys.length, bytes: bytes.reduce((sum, each) => sum + Number(each), 0) }
    },
    end: () => client.disconnect(),
  }
}

/** How many commands were sent between two stats. @returns {number} */
export function commandsBetween(before, after) {
  return Object.entries(after.commands).reduce((sum, [name, calls]) => sum + calls - (before.commands[name] ?? 0), 0)
}
