import type { Caller } from './client.js'
import { fromAppStats } from './convert.js'
import type { Messaging } from './types.js'

/** The app the credentials belong to: its limits and its use of them. */
export function createApp(caller: Caller): Messaging['app'] {
  return {
    async stats(options) {
      const asked = { operation: 'app.stats', kind: 'read' } as const
      const wire = await caller.unary('getAppStats', () => ({}), asked, options)
      // Some descriptors put the same fields into a message of their own.
      const inner = wire['app'] ?? wire['app_info']
      return fromAppStats(typeof inner === 'object' && inner !== null ? { ...wire, ...inner } : wire)
    },
  }
}
