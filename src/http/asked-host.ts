import type { Request } from 'express'
import type { Config } from '../config/options.js'

/**
 * The host that the browser asked, if it is certainly not the one of `baseUrl`: cookies set there do not reach the
 * callback. Ports do not matter, since cookies ignore them.
 *
 * @returns the host as the request names it; `undefined` if it is ours or unknown. A proxy may have put its own name
 *   into `Host`, so the result is a guess until the browser has been sent to `baseUrl` once.
 */
export function otherHostOf(req: Request, config: Pick<Config, 'origin' | 'isHttps'>): string | undefined {
  const own = new URL(config.origin).hostname
  const forwarded = firstOf(req.get('x-forwarded-host')) ?? hostInForwarded(req.get('forwarded'))
  const isTrusted = isProxyTrusted(req)
  const named = forwarded !== undefined && isTrusted ? [forwarded] : [namedHostOf(req), forwarded]
  const hosts = named.filter((host) => host !== undefined && hostnameOf(host) !== undefined)
  if (hosts.some((host) => hostnameOf(host) === own)) {
    // With https all our cookies are Secure, so a browser that asks over http drops them.
    const isByHttp = config.isHttps && isTrusted && firstOf(req.get('x-forwarded-proto')) === 'http'
    return isByHttp ? `http://${hosts[0]}` : undefined
  }
  return hosts[0]
}

/** Moves a URL on the asked host to our origin, because it is the same app under another name. */
export function toOwnOrigin(url: string, req: Request, origin: string): string {
  const host = namedHostOf(req)
  if (host === undefined || !/^https?:\/\//i.test(url) || !URL.canParse(url)) return url
  const given = new URL(url)
  return given.host === host.toLowerCase() ? `${origin}${given.pathname}${given.search}${given.hash}` : url
}

/** An absolute-form target takes precedence over the `Host` header (RFC 9112 3.2.2). */
function namedHostOf(req: Request): string | undefined {
  return /^[a-z][a-z0-9+.-]*:\/\/([^/?#]+)/i.exec(req.originalUrl)?.[1] ?? req.get('host')
}

function hostnameOf(host: string | undefined): string | undefined {
  const url = `http://${host}`
  return host !== undefined && host !== '' && URL.canParse(url) ? new URL(url).hostname : undefined
}

/** Each proxy appends its own value, so the first is the browser's. */
function firstOf(list: string | undefined): string | undefined {
  return list?.split(',', 1)[0]?.trim().toLowerCase() || undefined
}

/** RFC 7239. */
function hostInForwarded(header: string | undefined): string | undefined {
  return /(?:^|[;,\s])host="?([^";,\s]+)/i.exec(header ?? '')?.[1]?.toLowerCase()
}

/** Whether Express trusts the sender of this request, by `app.set('trust proxy', ...)`, checked as Express does. */
export function isProxyTrusted(req: Request): boolean {
  const trust: unknown = req.app?.get('trust proxy fn')
  return typeof trust === 'function' && trust(req.socket.remoteAddress, 0) === true
}
