import type { Request } from 'express'
import ipaddr from 'ipaddr.js'
import type { RaiseEvent } from '../audit-events.js'
import type { Config } from '../config/options.js'
import { isProxyTrusted } from '../http/asked-host.js'
import type { Count, Store } from '../store/store.js'

/** Limits by client address. Methods with a result return how long to wait, in milliseconds; 0 if the limit is not reached. */
export interface RateLimit {
  /** What to count for a login, in the step that stores its attempt. */
  login(req: Request): Count | undefined
  /** Counts a failed callback. Never throws: while the store is down, nothing is limited. */
  failure(req: Request): Promise<number>
  /**
   * What to count for a code exchange, in the step that takes its attempt. As many exchanges may fail as callbacks.
   * Callbacks without an attempt count separately, so that forged ones do not keep others on the same address from signing
   * in.
   */
  exchange(req: Request): Count | undefined
  /** The exchange succeeded, so it no longer counts. */
  exchanged(req: Request): void
}

/** What the rate limits need. */
export interface RateLimitParts {
  readonly config: Pick<Config, 'rateLimit'>
  readonly store: Pick<Store, 'createLimiter'>
  readonly raise: RaiseEvent
}

/** Creates the rate limits of one instance; with `rateLimit: false` they let everything pass. */
export function createRateLimit({ config, store, raise }: RateLimitParts): RateLimit {
  if (config.rateLimit === false) {
    const none = async (): Promise<number> => 0
    return { login: () => undefined, failure: none, exchange: () => undefined, exchanged: () => {} }
  }
  const logins = store.createLimiter('login', config.rateLimit.loginPerMinute)
  const failures = store.createLimiter('failure', config.rateLimit.failuresPerMinute)
  const exchanges = store.createLimiter('exchange', config.rateLimit.failuresPerMinute)
  let hasWarned = false

  function keyFor(req: Request): string {
    if (!hasWarned && req.get('x-forwarded-for') !== undefined && !isProxyTrusted(req)) {
      hasWarned = true
      raise({
        type: 'warning',
        code: 'proxy_untrusted',
        detail:
          'A request carries X-Forwarded-For, but Express does not trust the proxy, so all visitors count as one address. Behind a proxy set app.set("trust proxy", <number of proxies>).',
      })
    }
    return networkOf(req.ip)
  }

  return {
    login: (req) => ({ limiter: logins, key: keyFor(req) }),
    failure: (req) => failures.consume(keyFor(req)).catch(() => 0),
    exchange: (req) => ({ limiter: exchanges, key: keyFor(req) }),
    exchanged: (req) => void exchanges.giveBack(keyFor(req)).catch(() => {}),
  }
}

/** The part of an address that identifies a visitor: all of IPv4; the /64 of IPv6, which a household or server gets. */
function networkOf(given = ''): string {
  // Some proxies (Azure's, HAProxy) write `<address>:<port>` into X-Forwarded-For.
  const ip = /^(?:\[(?<v6>[^\]]+)\](?::\d+)?|(?<v4>[\d.]+):\d+)$/.exec(given)
  const text = ip?.groups?.['v6'] ?? ip?.groups?.['v4'] ?? given
  if (!ipaddr.isValid(text)) return 'unknown'
  const address = ipaddr.process(text)
  if (!(address instanceof ipaddr.IPv6)) return address.toString()
  return `${address.parts
    .slice(0, 4)
    .map((part) => part.toString(16))
    .join(':')}::/64`
}
