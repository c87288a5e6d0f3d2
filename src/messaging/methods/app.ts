import type { Caller } from '../call/caller.js'
import type { AppStats, CallOptions, Messaging } from '../types/calls.js'
import { fromAppStats } from '../wire/convert.js'

/** The app the credentials belong to: its limits and its use of them. */
export function createApp(caller: Caller): Messaging['app'] {
  return { stats: (options) => askStats(caller, options, false) }
}

/** @param failsFast whether not to wait for a connection: what a check of health asks */
export async function askStats(
  caller: Caller,
  options: CallOptions | undefined,
  failsFast: boolean,
): Promise<AppStats> {
  const asked = { operation: 'app.stats', kind: 'read', failsFast } as const
  const wire = await caller.unary('getAppStats', () => ({}), asked, options)
  // Some descriptors put the same fields into a message of their own.
  const inner = wire['app'] ?? wire['app_info']
  return fromAppStats(typeof inner === 'object' && inner !== null ? { ...wire, ...inner } : wire)
}
