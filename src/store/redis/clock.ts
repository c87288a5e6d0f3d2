import type { ScriptedClient } from './client.js'
import type { RedisConnection } from './connection.js'
import type { Countdown } from './countdown.js'

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
  /** Takes the time (milliseconds) that a script has just answered, which saves asking for it. */
  note(timeMs: number): void
  /** What time it probably is there, in whole milliseconds, rather too early than too late; 0 if that is not known. */
  estimate(): number
}

/** What Redis's clock said. */
interface Reading {
  /** Redis's clock minus ours (`performance.now()`). */
  readonly offsetMs: number
  readonly takenAtMs: number
}

/** After this time the clock is read again, in parallel with the call that needs it. */
const READING_LASTS_MS = 60_000
/** After this time a call waits for a new reading: the clocks may have drifted apart by more than `MARGIN_MS`. */
const READING_ENDS_MS = 10 * 60_000
/** A command must begin this long before its caller gives up, since clocks drift and timers fire late. */
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
   * Redis read this time at some moment between our question and its answer. Assuming the moment of the answer is safe:
   * it can only make a deadline too early, so a slow answer just leaves a command less time.
   */
  function note(timeMs: number): Reading {
    const nowMs = performance.now()
    reading = { offsetMs: timeMs - nowMs, takenAtMs: nowMs }
    return reading
  }

  const ageOf = ({ takenAtMs }: Reading): number => performance.now() - takenAtMs

  /** The last reading, unless it is too old. */
  const known = (): Reading | undefined => (reading && ageOf(reading) < READING_ENDS_MS ? reading : undefined)

  /** What is known about the clock of the node that has `key`. */
  async function read(key: string): Promise<Reading> {
    const found = connection.isCluster ? undefined : known()
    if (!found) return ask(key)
    if (ageOf(found) >= READING_LASTS_MS) askBeside(key)
    return found
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
    estimate() {
      const found = known()
      return found ? Math.floor(performance.now() + found.offsetMs) : 0
    },
    async runInTime(operation, key, script) {
      let callTime: Countdown | undefined
      const attempt = async () => {
        const { offsetMs } = await read(key)
        return connection.run(operation, (client, time) => {
          callTime = time
          return script(client, Math.floor(time.endsAtMs + offsetMs) - MARGIN_MS)
        })
      }
      try {
        return await attempt()
      } catch (error) {
        if (!isLate(error)) throw error
        reading = undefined // the clock may have been set, so it is asked again
        // Refused while there was time left: it was not late, the clock is another. A refused script has done nothing.
        if (callTime === undefined || callTime.leftMs < MARGIN_MS) throw error
        return await attempt()
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
