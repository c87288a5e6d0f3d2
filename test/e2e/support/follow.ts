import { setTimeout as sleep } from 'node:timers/promises'
import { eventIds, lastId, type OpenStream, openStream } from '../../../example-app/test/live-support.js'
import type { Browser } from '../../../example-app/test/support.js'
import { until } from '../../support/until.js'

/** An EventSource without a browser: comes back for ever, with the last id it has seen. */
export interface Reader {
  /** Ids of all events, in the order they came. */
  readonly seen: readonly string[]
  /** How often it was connected. */
  readonly connections: number
  until(isThere: (seen: readonly string[]) => boolean): Promise<void>
  close(): void
}

const RETRY_MS = 200

export function follow(url: string, browser: Pick<Browser, 'cookies'>): Reader {
  const before: string[] = []
  let stream: OpenStream | undefined
  let connections = 0
  let isClosed = false
  let last = ''

  async function connect(): Promise<void> {
    try {
      const opened = await openStream(
        { url },
        browser,
        '/messages/events',
        last === '' ? {} : { 'Last-Event-ID': last },
      )
      if (opened.answer.statusCode !== 200) return opened.close()
      stream = opened
      connections += 1
      await opened.ended
      before.push(...eventIds(opened).map(String))
      last = lastId(opened) || last
    } catch {
      // nobody answers: again in a moment
    } finally {
      stream = undefined
    }
  }
  const run = async (): Promise<void> => {
    while (!isClosed) {
      await connect()
      await sleep(RETRY_MS)
    }
  }
  void run()

  const seen = (): readonly string[] => [...before, ...(stream === undefined ? [] : eventIds(stream).map(String))]
  return {
    get seen() {
      return seen()
    },
    get connections() {
      return connections
    },
    async until(isThere) {
      await until(() => isThere(seen()), String(isThere))
    },
    close() {
      isClosed = true
      stream?.close()
    },
  }
}
