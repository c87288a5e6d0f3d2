import type { Config } from '../config/options.js'
import { digestOf } from '../lib/digest.js'

/** What the cookies of one client are called. Apps with different clients may share a host; a cookie knows no port. */
export interface CookieNames {
  readonly session: string
  /** The default before version 0.2, which had no client in it: still read, never written. */
  readonly formerSession?: string
  /** What the cookies of login attempts begin with. */
  readonly attempts: string
  /** Before version 0.2: still read. */
  readonly formerAttempts: string
  readonly landed: string
}

export function cookieNamesOf(config: Pick<Config, 'clientId' | 'isHttps' | 'cookieName'>): CookieNames {
  // `__Host-` keeps sister domains and http from setting them (RFC 6265bis 4.1.3.2).
  const ours = `${config.isHttps ? '__Host-' : ''}ppoppo`
  const tag = digestOf('client', config.clientId).slice(0, 8)
  return {
    ...(config.cookieName === undefined
      ? { session: `${ours}-${tag}`, formerSession: ours }
      : { session: config.cookieName }),
    attempts: `${ours}-tx-${tag}-`,
    formerAttempts: `${ours}-tx-`,
    landed: `${ours}-landed-${tag}`,
  }
}
