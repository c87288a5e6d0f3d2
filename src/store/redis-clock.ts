import type { RedisConnection } from './redis-connection.js'

/** Redis's clock, as a script will read it. */
export interface RedisClock {
  /** Milliseconds since the epoch, asked anew. */
  now(): Promise<number>
  /**
   * By when a script on `key` must have begun, in milliseconds by the clock of the node that has the key: shortly
   * before its caller, who sends it at once, gives up. Costs a round trip at most once a minute, on a Cluster each
   * time, since each node has its own clock.
   */
  notAfter(key: string): Promise<number>
  /** For a script's failure: passes it on. When it says LATE, the clock may have been set, so it is asked anew. */
  forgetIfLate(error: unknown): never
}

const READING_LASTS_MS = 60_000
/** What we believe Redis's clock to be is off by up to half a round trip. */
const MARGIN_MS = 50

/**
 * @param clockKey any key; on a Cluster its node gives the time, so that all app instances ask the same clock
 */
export function createRedisClock(connection: RedisConnection<'ppoppoTime'>, clockKey: string): RedisClock {
  let reading: { readonly offsetMs: number; readonly takenAtMs: number } | undefined

  const latestBeginMs = (): number => connection.callTimeoutMs - MARGIN_MS

  async function ask(key: string): Promise<number> {
    const askedAtMs = performance.now()
    const [seconds, microseconds] = toTime(await connection.run('now', (client) => client.ppoppoTime(key)))
    const time = seconds * 1000 + Math.floor(microseconds / 1000)
    reading = { offsetMs: time - (askedAtMs + performance.now()) / 2, takenAtMs: askedAtMs }
    return time
  }

  return {
    now: () => ask(clockKey),
    async notAfter(key): Promise<number> {
      const isFresh = reading !== undefined && performance.now() - reading.takenAtMs < READING_LASTS_MS
      if (reading === undefined || !isFresh || connection.isCluster) return (await ask(key)) + latestBeginMs()
      return Math.ceil(performance.now() + reading.offsetMs) + latestBeginMs()
    },
    forgetIfLate(error): never {
      if (error instanceof Error && error.cause instanceof Error && error.cause.message.startsWith('LATE')) {
        reading = undefined
      }
      throw error
    },
  }
}

function toTime(reply: unknown): [seconds: number, microseconds: number] {
  if (!Array.isArray(reply)) throw new TypeError('TIME must answer a list')
  return [Number(reply[0]), Number(reply[1])]
}
