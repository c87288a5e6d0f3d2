import { Redis } from 'ioredis'
import { provideRedis, REDIS_ADVICE } from '../../scripts/lib/redis.mjs'

/** A Redis of our own, and a client that looks into it. */
export async function startRedis() {
  const { REDIS_URL: _theirs, ...env } = process.env
  const found = await provideRedis(env)
  if (!found) throw new Error(`There is no Redis: ${REDIS_ADVICE}`)
  const client = new Redis(found.url)
  return {
    url: found.url,
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
    /** Bytes of all keys that begin with `prefix`, and how many there are. */
    async memoryOf(prefix) {
      const keys = await client.keys(`${prefix}*`)
      const sizes = await Promise.all(keys.map((key) => client.memory('USAGE', key, 'SAMPLES', 0)))
      return { keys: keys.length, bytes: sizes.reduce((sum, size) => sum + Number(size), 0) }
    },
    end: () => client.disconnect(),
  }
}

/** How many commands were sent between two stats. @returns {number} */
export function commandsBetween(before, after) {
  return Object.entries(after.commands).reduce((sum, [name, calls]) => sum + calls - (before.commands[name] ?? 0), 0)
}
