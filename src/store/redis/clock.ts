import type { ScriptedClient } from './client.js'
import type { RedisConnection } from './connection.js'

/** Redis's clock, as a script will read it. */
export interface RedisClock<Name extends string> {
  /**
   * Runs a script that does harm when it begins after its caller gave up. It is told by when it must have begun, in
   * milliseconds by the clock of the node that has `key`: shortly before its caller gives up; and answers LATE else.
   * Costs a round trip more at most once a minute, on a Cluster each time, since each node has its own clock.
   */
  runInTime<T>(
    operation: string,
    key: string,
    script: (client: ScriptedClient<Name>, notAfter: number) => Promise<T>,
  ): Promise<T>
}

/** What Redis's clock said. */
interface Reading {
  /** Redis's clock minus ours (`performance.now()`). */
  readonly offsetMs: number
  readonly takenAtMs: number
}

const READING_LASTS_MS = 60_000
/** A script that comes back as late sooner than this was not: the clock was set since it was read. */
const QUICK_MS = 250
/** So much sooner than its caller gives up a command must have begun: clocks run apart, and timers are late. */
const MARGIN_MS = 50

export function createRedisClock<Name extends string>(
  connection: RedisConnection<Name | 'ppoppoTime'>,
): RedisClock<Name> {
  let reading: Reading | undefined

  async function ask(key: string): Promise<Reading> {
    const askedAtMs = performance.now()
    const [seconds, microseconds] = toTime(await connection.run('now', (client) => client.ppoppoTime(key)))
    const time = seconds * 1000 + Math.floor(microseconds / 1000)
    // It may have been that time at any moment since we asked. Taken as that of the answer it is never too late, and it
    // costs nothing: an answer that takes long on its way is one that leaves a command less time.
    reading = { offsetMs: time - performance.now(), takenAtMs: askedAtMs }
    return reading
  }

  /** What is known of the clock of the node that has `key`. */
  async function read(key: string): Promise<Reading> {
    const isFresh = reading !== undefined && performance.now() - reading.takenAtMs < READING_LASTS_MS
    return reading === undefined || !isFresh || connection.isCluster ? ask(key) : reading
  }

  return {
    async runInTime(operation, key, script) {
      const beganAtMs = performance.now()
      const attempt = async () => {
        const { offsetMs } = await read(key)
        return connection.run(operation, (client, giveUpAtMs) =>
          script(client, Math.floor(giveUpAtMs + offsetMs) - MARGIN_MS),
        )
      }
      try {
        return await attempt()
      } catch (error) {
        if (!isLate(error)) throw error
        reading = undefined // the clock may have been set, so it is asked again
        if (performance.now() - beganAtMs > QUICK_MS) throw error
        return await attempt() // a late script has done nothing
      }
    },
  }
}

function isLate(error: unknown): boolean {
  return error instanceof Error && error.cause instanceof Error && error.cause.message.startsWith('LATE')
}

function toTime(reply: unknown): [seconds: number, microseconds: number] {
  if (!Array.isArray(reply)) throw new TypeError('TIME must answer a list')
  return [Number(reply[0]), Number(reply[1])]
}
