import { resolveMessagingConfig } from '../../../src/config/messaging.js'
import type { MessagingOptions } from '../../../src/config/messaging-options.js'
import { HUNG_MS } from '../../../src/messaging/channel/shared-token-requests.js'
import { type MessagingRuntime, systemMessagingRuntime } from '../../../src/messaging/lib/runtime.js'
import { createMessagingClient } from '../../../src/messaging/messaging.js'
import type { Messaging } from '../../../src/messaging/types/methods.js'
import { type FakePcs, startFakePcs } from './fake-pcs.js'
import { CLIENT, type FakeTokenEndpoint, startTokenEndpoint } from './fake-token-endpoint.js'

/** A fake PCS, a fake token endpoint, and clients of both; `close` ends them all. */
export interface MessagingWorld {
  readonly pcs: FakePcs
  readonly pas: FakeTokenEndpoint
  connect(options?: MessagingOptions, runtime?: Partial<MessagingRuntime>): Messaging
  close(): Promise<void>
}

export const TEMPLATE_ID = 'tpl_01HQ'
export const REQUEST = { templateId: TEMPLATE_ID, recipients: [{ ppnum: '12345678901' }] } as const
export const RECEIPT = { id: 'snd_1', status: 'QUEUED', total_recipients: 1 } as const

export async function startWorld(options: { prefix?: string; proto?: string } = {}): Promise<MessagingWorld> {
  const [pcs, pas] = await Promise.all([startFakePcs(options), startTokenEndpoint()])
  pcs.answer = () => ({ ok: RECEIPT })
  const clients: Messaging[] = []
  return {
    pcs,
    pas,
    connect: (given = {}, runtime = {}) => {
      const config = resolveMessagingConfig({ apiUrl: pcs.url, tokenUrl: pas.url, ...CLIENT, ...given }, {})
      const client = createMessagingClient({ config, runtime: { ...systemMessagingRuntime, ...runtime } })
      clients.push(client)
      return client
    },
    close: async () => {
      await Promise.all(clients.map((client) => client.close()))
      pcs.close()
      await pas.close()
    },
  }
}

/** Time that passes only when somebody waits: timers run at once, in their order, and put the clock forward. */
export function createFastRuntime(waited: number[] = []): Partial<MessagingRuntime> {
  let now = Date.now()
  return {
    now: () => now,
    monotonic: () => now,
    random: () => 0.5,
    after: (ms, done) => {
      // A wait of seconds is a deadline, and that of a token request starts another one: both are meant to be cancelled.
      if (ms >= 10_000 || ms === HUNG_MS) return systemMessagingRuntime.after(ms, done)
      waited.push(ms)
      return systemMessagingRuntime.after(0, () => {
        now += ms
        done()
      })
    },
  }
}
