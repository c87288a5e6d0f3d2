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
    /** Keys and their bytes, without those that live for less than two hours: login attempts, their outcomes, rate limits. */
    async settledMemory() {
      let keys = 0
      let bytes = 0
      for (const key of await client.keys('*')) {
        const ttlMs = await client.pttl(key)
        if (ttlMs >= 0 && ttlMs < SETTLED_TTL_MS) continue
        keys += 1
        bytes += Number(await client.memory('USAGE', key, 'SAMPLES', 0))
      }
      return { keys, bytes }
    },
    end: () => client.disconnect(),
  }
}

/** How many commands were sent between two stats. @returns {number} */
export function commandsBetween(before, after) {
  return Object.entries(after.commands).reduce((sum, [name, calls]) => sum + calls - (before.commands[name] ?? 0), 0)
}
