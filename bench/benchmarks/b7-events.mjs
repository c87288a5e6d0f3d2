import { EVENTS } from '../lib/messages.mjs'
import { withMessagingClients } from '../lib/messaging-clients.mjs'
import { measureRounds } from '../lib/rounds.mjs'
import { startSlowProxy } from '../lib/slow-proxy.mjs'

export const id = 'B7'
export const title = 'Stream of delivery events'
export const reference = 'grpc-js'
export const metrics = {
  perSecond: { label: 'events/s', unit: '/s', goal: { least: 1.2 } },
  cpu: { label: 'CPU per event', unit: 'us' },
  farPerSecond: { label: 'events/s over a round trip of 40 ms', unit: '/s', goal: { least: 10 } },
}
const ROUND_TRIP_MS = 40
const FAR_EVENTS = 30_000

/** @param {import('../lib/context.mjs').Context} context */
export async function run(context) {
  const { isQuick, rounds, log } = context
  const near = await withMessagingClients(context, async (clients) => {
    for (const work of Object.values(clients)) await work({ work: 'events', calls: isQuick ? 5_000 : 50_000 })
    const events = isQuick ? 10_000 : EVENTS
    return measureRounds(
      contendersOf(clients, events, ({ cpuMicros, perSecond }) => ({ perSecond, cpu: cpuMicros / events })),
      rounds,
      log,
    )
  })
  let proxy
  const startProxy = async ({ port }) => {
    proxy = await startSlowProxy({ host: '127.0.0.1', port }, ROUND_TRIP_MS / 2)
    return proxy.port
  }
  try {
    const far = await withMessagingClients(
      { profileOf: () => undefined },
      (clients) => {
        log(`over a round trip of ${ROUND_TRIP_MS} ms`)
        const events = isQuick ? 5_000 : FAR_EVENTS
        return measureRounds(
          contendersOf(clients, events, ({ perSecond }) => ({ farPerSecond: perSecond })),
          rounds,
          log,
        )
      },
      startProxy,
    )
    return Object.fromEntries(Object.entries(near).map(([name, found]) => [name, { ...found, ...far[name] }]))
  } finally {
    proxy?.end()
  }
}

function contendersOf(clients, calls, toValues) {
  const each = ([name, work]) => [
    name,
    async () => {
      const { cpuMicros, tookMs } = await work({ work: 'events', calls })
      return toValues({ cpuMicros, perSecond: (calls / tookMs) * 1_000 })
    },
  ]
  return Object.fromEntries(Object.entries(clients).map(each))
}
