import { isPpoppoError, PpoppoError } from '../../errors.js'
import { parseCallOptions } from '../call/call-options.js'
import type { Caller } from '../call/caller.js'
import type { AppStats, CallOptions, Messaging, MessagingHealth } from '../types/methods.js'
import { dated, toNumber, toText, type Wire } from '../wire/convert.js'

/** Limits and usage of the app that the credentials belong to. */
export function createApp(caller: Caller): Messaging['app'] {
  return { stats: (options) => askStats(caller, options, false) }
}

/** Asks for the app's stats. @param failsFast whether to fail at once without a connection, as a health check needs */
export async function askStats(
  caller: Caller,
  options: CallOptions | undefined,
  failsFast: boolean,
): Promise<AppStats> {
  const asked = { operation: 'app.stats', kind: 'read', failsFast } as const
  const wire = await caller.unary('getAppStats', (method) => method.serialize({}), asked, options)
  // Some descriptors have the same fields in a nested message.
  const inner = wire['app'] ?? wire['app_info']
  return fromAppStats(typeof inner === 'object' && inner !== null ? { ...wire, ...inner } : wire)
}

function fromAppStats(wire: Wire): AppStats {
  const limit = wire['monthly_message_limit']
  const ips = wire['allowed_ips']
  return {
    id: toText(wire['id']),
    name: toText(wire['name']),
    tier: toText(wire['tier']),
    isActive: wire['is_active'] === true,
    rateLimitPerMin: toNumber(wire['rate_limit_per_min']),
    ...(limit === undefined || limit === null ? {} : { monthlyMessageLimit: toNumber(limit) }),
    currentMonthUsage: toNumber(wire['current_month_usage']),
    allowedIps: Array.isArray(ips) ? ips.map(toText) : [],
    ...dated('lastUsedAt', wire['last_used_at']),
    systemPpnum: toText(wire['system_ppnum']),
  }
}

const DEADLINE_MS = 5_000

/**
 * Whether messages can be sent now: checks a token, a connection and one read (`app.stats`), because only a call reveals a
 * wrong path, a suspended app or an address that is not allowed. Resolves even if they cannot.
 * @throws `closed`, and the signal's reason after an abort
 */
export function createHealth(caller: Caller): Messaging['health'] {
  return async function health(given) {
    const options = parseCallOptions(given)
    let hasToken = false
    try {
      caller.assertUsable()
      const scope = caller.openScope(options, DEADLINE_MS)
      try {
        await scope.wait(caller.tokens.token(), 'Getting an access token')
        hasToken = true
        const remainingMs = Math.max(1, Math.ceil(scope.remainingMs()))
        await scope.wait(caller.channel().settle(new Date(Date.now() + remainingMs)), 'Connecting to PCS')
        const { isActive, id } = await askStats(caller, { ...options, deadlineMs: remainingMs }, true)
        if (!isActive) throw new PpoppoError('permission_denied', `The app ${id} is not active. Ask Ppoppo why.`)
        return { ok: true, channel: caller.channel().state(), hasToken }
      } finally {
        scope.dispose()
      }
    } catch (error) {
      if (!isPpoppoError(error) || error.code === 'closed') throw error
      return failed(error)
    }

    function failed(error: PpoppoError): MessagingHealth {
      // Without credentials there is no need to connect, and gRPC stays unloaded.
      const channel = error.code === 'messaging_not_configured' ? 'idle' : caller.channel().state()
      return { ok: false, channel, hasToken, error }
    }
  }
}
