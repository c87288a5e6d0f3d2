import type { Redis } from 'ioredis'
import { parseCheckpoint } from '../../../../../src/messaging/consumer/term/stored-texts.js'
import { keysOfConsumer } from '../../../../../src/store/redis/consumer/keys.js'
import type { Journal } from './journal.js'
import { idAt, placeOf } from './log-pcs.js'

export interface CheckpointWatch {
  /** What was wrong, in words. */
  readonly complaints: readonly string[]
  /** Different checkpoints that were seen. */
  readonly seen: number
  /** The place of the last cursor that was seen. */
  readonly place: number
  stop(): Promise<void>
}

/**
 * Looks at what Redis knows of a consumer again and again: fence and cursor never go back, what was told to be handled
 * stays so, and each such event had been handled by then.
 */
export function watchCheckpoint(redis: Redis, prefix: string, name: string, journal: Journal): CheckpointWatch {
  const key = keysOfConsumer(prefix, name).place
  const complaints: string[] = []
  let [isOver, seen, place, fence, lastText] = [false, 0, -1, 0, '']
  let ahead: readonly string[] = []

  const look = async (): Promise<void> => {
    const [newFence, text] = await redis.hmget(key, 'fence', 'checkpoint')
    if (Number(newFence ?? 0) < fence) complaints.push(`fence ${newFence} after ${fence}`)
    fence = Math.max(fence, Number(newFence ?? 0))
    if (!text || text === lastText) return
    const next = parseCheckpoint(text)
    const nextPlace = placeOf(next?.cursor)
    const { ended } = journal
    if (nextPlace < place) complaints.push(`cursor ${nextPlace} after ${place}`)
    for (const id of ahead) {
      if (placeOf(id) > nextPlace && !next?.ahead.includes(id)) complaints.push(`${id} is no longer known as handled`)
    }
    for (let at = place + 1; at <= nextPlace; at++)
      if (!ended.has(idAt(at))) complaints.push(`${idAt(at)} saved too soon`)
    for (const id of next?.ahead ?? []) if (!ended.has(id)) complaints.push(`${id} saved too soon`)
    seen += 1
    lastText = text
    place = Math.max(place, nextPlace)
    ahead = next?.ahead ?? []
  }
  const watching = (async () => {
    while (!isOver) {
      await look()
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
    await look()
  })()
  return {
    complaints,
    get seen() {
      return seen
    },
    get place() {
      return place
    },
    async stop() {
      isOver = true
      await watching
    },
  }
}
