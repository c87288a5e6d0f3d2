import { withMessagingClients } from '../lib/messaging-clients.mjs'
import { measureRounds } from '../lib/rounds.mjs'

export const id = 'B6'
export const title = 'Calls of the Messaging API'
export const reference = 'grpc-js'
export const metrics = {
  unary: { label: 'CPU per call, 32 at once', unit: 'us', goal: { most: 1.1 } },
  send: { label: 'CPU per send to one, 32 at once', unit: 'us', goal: { most: 1.1 } },
  sendThousand: { label: 'CPU per send to 1,000, 4 at once', unit: 'us', goal: { most: 0.6 } },
  oneByOne: { label: 'CPU per call, one after the other', unit: 'us', goal: { most: 1.1 } },
}
const CALLS = {
  unary: { work: 'unary', calls: 8_000, atOnce: 32 },
  send: { work: 'send', calls: 8_000, atOnce: 32 },
  sendThousand: { work: 'sendThousand', calls: 200, atOnce: 4 },
  oneByOne: { work: 'unary', calls: 3_000, atOnce: 1 },
}

/** @param {import('../lib/context.mjs').Context} context */
export function run(context) {
  const { isQuick, rounds, log } = context
  return withMessagingClients(context, async (clients) => {
    const asked = Object.entries(CALLS).map(([metric, { calls, ...rest }]) => ({
      metric,
      ...rest,
      calls: isQuick ? Math.ceil(calls / 10) : calls,
    }))
    const contenders = {}
    for (const [name, work] of Object.entries(clients)) {
      for (const { metric: _, ...warm } of asked) await work(warm)
      contenders[name] = async () => {
        const found = {}
        for (const { metric, ...rest } of asked) found[metric] = (await work(rest)).cpuMicros / rest.calls
        return found
      }
    }
    return measureRounds(contenders, rounds, log)
  })
}
