import type { Config } from '../config/options.js'
import { digestOf } from '../lib/digest.js'

/** The cookie names of one client. Apps with different clients may share a host, and cookies ignore the port. */
export interface CookieNames {
  readonly session: string
  /** The default before version 0.2, without the client's name: still read, never written. */
  readonly formerSession?: string
  /** Prefix of the cookies of login attempts. */
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
