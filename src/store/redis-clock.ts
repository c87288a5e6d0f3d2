import type { ScriptedClient } from './redis-client.js'
import type { RedisConnection } from './redis-connection.js'

/** Redis's clock, as a script will read it. */
export interface RedisClock<Name extends string> {
  /** Milliseconds since the epoch, asked anew. */
  now(): Promise<number>
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

const READING_LASTS_MS = 60_000
/** What we believe Redis's clock to be is off by up to half a round trip. */
const MARGIN_MS = 50

/**
 * @param clockKey any key; on a Cluster its node gives the time, so that all app instances ask the same clock
 */
export function createRedisClock<Name extends string>(
  connection: RedisConnection<Name | 'ppoppoTime'>,
  clockKey: string,
): RedisClock<Name> {
  let reading: { readonly offsetMs: number; readonly takenAtMs: number } | undefined

  const latestBeginMs = (): number => connection.callTimeoutMs - MARGIN_MS

  async function ask(key: string): Promise<number> {
    const askedAtMs = performance.now()
    const [seconds, microseconds] = toTime(await connection.run('now', (client) => client.ppoppoTime(key)))
    const time = seconds * 1000 + Math.floor(microseconds / 1000)
    reading = { offsetMs: time - (askedAtMs + performance.now()) / 2, takenAtMs: askedAtMs }
    return time
  }

  async function notAfter(key: string): Promise<number> {
    const isFresh = reading !== undefined && performance.now() - reading.takenAtMs < READING_LASTS_MS
    if (reading === undefined || !isFresh || connection.isCluster) return (await ask(key)) + latestBeginMs()
    return Math.ceil(performance.now() + reading.offsetMs) + latestBeginMs()
  }

  return {
    now: () => ask(clockKey),
    async runInTime(operation, key, script) {
      const latest = await notAfter(key)
      try {
        return await connection.run(operation, (client) => script(client, latest))
      } catch (error) {
        if (isLate(error)) reading = undefined // the clock may have been set, so it is asked anew
        throw error
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
