import type { ScriptedClient } from './client.js'
import type { RedisConnection } from './connection.js'

/** Redis's clock, as a script will read it. */
export interface RedisClock<Name extends string> {
  /**
   * Runs a script that does harm if it begins after its caller gave up. It is passed the time by which it must have begun,
   * shortly before its caller gives up, in milliseconds by the clock of the node that has `key`; later it answers LATE.
   * Costs a round trip more if the clock was not read for ten minutes, and on a Cluster each time, since each node has its
   * own clock.
   */
  runInTime<T>(
    operation: string,
    key: string,
    script: (client: ScriptedClient<Name>, notAfter: number) => Promise<T>,
  ): Promise<T>
  /** A script has just answered the time, milliseconds: so it need not be asked for. */
  note(timeMs: number): void
}

/** What Redis's clock said. */
interface Reading {
  /** Redis's clock minus ours (`performance.now()`). */
  readonly offsetMs: number
  readonly takenAtMs: number
}

/** After this time the clock is read again, beside the call that needs it. */
const READING_LASTS_MS = 60_000
/** After this time a call waits for it: two clocks may have drifted apart by more than `MARGIN_MS`. */
const READING_ENDS_MS = 10 * 60_000
/** A script that comes back as late sooner than this was not: the clock was set since it was read. */
const QUICK_MS = 250
/** So much sooner than its caller gives up a command must have begun: clocks run apart, and timers are late. */
const MARGIN_MS = 50

export function createRedisClock<Name extends string>(
  connection: RedisConnection<Name | 'ppoppoTime'>,
): RedisClock<Name> {
  let reading: Reading | undefined
  let isAsking = false

  async function ask(key: string): Promise<Reading> {
    const [seconds, microseconds] = toTime(await connection.run('now', (client) => client.ppoppoTime(key)))
    return note(seconds * 1000 + Math.floor(microseconds / 1000))
  }

  /**
   * It may have been that time at any moment since we asked. Taken as that of the answer it is never too late, and it costs
   * nothing: an answer that takes long on its way is one that leaves a command less time.
   */
  function note(timeMs: number): Reading {
    const nowMs = performance.now()
    reading = { offsetMs: timeMs - nowMs, takenAtMs: nowMs }
    return reading
  }

  /** What is known of the clock of the node that has `key`. */
  async function read(key: string): Promise<Reading> {
    const ageMs = reading === undefined ? Number.POSITIVE_INFINITY : performance.now() - reading.takenAtMs
    if (reading === undefined || ageMs >= READING_ENDS_MS || connection.isCluster) return ask(key)
    if (ageMs >= READING_LASTS_MS) askBeside(key)
    return reading
  }

  function askBeside(key: string): void {
    if (isAsking) return
    isAsking = true
    void ask(key)
      .catch(() => {})
      .finally(() => {
        isAsking = false
      })
  }

  return {
    note: (timeMs) => void note(timeMs),
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
