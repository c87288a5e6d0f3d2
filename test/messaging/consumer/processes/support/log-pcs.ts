import type { ServedStream } from '../../../events/support/stream-pcs.js'
import { startStreamPcs, wireEvent } from '../../../events/support/stream-pcs.js'

/** As many as grpc-js may hold of one stream. */
const MAX_UNSENT = 512

/** A server of a log of made-up events that grows, and is read from wherever a reader asks. */
export interface LogPcs {
  readonly url: string
  readonly port: number
  /** Events in the log. */
  readonly length: number
  /** Streams opened so far. */
  readonly opened: number
  append(count: number): void
  close(): void
}

/** The id of the event at a place; ids sort by place. */
export const idAt = (place: number): string => `evt_${String(place).padStart(9, '0')}`
/** @returns -1 for no id */
export const placeOf = (id: string | undefined): number => (id === undefined ? -1 : Number(id.slice(4)))

/** @param sends how many sends the events belong to, in turn */
export async function startLogPcs({ sends = 1 } = {}): Promise<LogPcs> {
  const pcs = await startStreamPcs()
  const pumps = new Set<() => void>()
  let length = 0

  const serve = (stream: ServedStream): void => {
    const { after_event_id: after } = stream.request
    let place = after ? placeOf(after) + 1 : 0
    if (place > length) return stream.fail(5, 'no such event')
    const pump = (): void => {
      for (; place < length && stream.call.writableLength < MAX_UNSENT; place++) {
        stream.send(wireEvent(idAt(place), { send_request_id: `snd_${place % sends}` }))
      }
    }
    pumps.add(pump)
    stream.call.on('drain', pump)
    stream.cancelled.then(() => pumps.delete(pump))
    pump()
  }
  pcs.script = serve
  return {
    get url() {
      return pcs.url
    },
    get port() {
      return pcs.port
    },
    get length() {
      return length
    },
    get opened() {
      return pcs.opened.length
    },
    append(count) {
      length += count
      for (const pump of pumps) pump()
    },
    close: () => pcs.close(),
  }
}
