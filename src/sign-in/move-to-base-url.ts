import type { Request, RequestHandler } from 'express'
import type { Config } from '../config/options.js'
import { otherHostOf } from '../http/asked-host.js'
import { inputOf } from '../http/request-reading.js'
import { loginUrlOf } from './login-url.js'
import { redirectOffSite } from './redirect-off-site.js'
import type { RouteParts } from './route-parts.js'

/** Parameter of a login that was redirected here from another host. It is redirected only once, whatever `Host` says. */
export const MOVED = 'moved'
const MAX_HOSTS_REPORTED = 10

/**
 * Redirects a login that started on another host to `baseUrl`, where its callback returns. Only once: behind a proxy that
 * puts its own name into `Host`, the second request looks like the first, and must sign in.
 */
export function createMoveToBaseUrl(parts: RouteParts): RequestHandler {
  const { config, pages } = parts
  const warn = createHostWarning(parts)

  return function moveToBaseUrl(req, res, next) {
    const host = inputOf(req, MOVED) === '1' ? undefined : otherHostOf(req, config)
    if (host === undefined) return next()
    warn(host)
    redirectOffSite(req, res, { url: loginUrlOf(req, parts, { [MOVED]: '1' }), page: 'login_go_on', pages })
  }
}

/** Whether a request came under another host, and was not redirected here from there. */
export function isElsewhere(req: Request, config: Config): boolean {
  return inputOf(req, MOVED) !== '1' && otherHostOf(req, config) !== undefined
}

/** Warns once per host, and not about every host that strangers make up. */
function createHostWarning({ config, raise }: RouteParts): (host: string) => void {
  const reported = new Set<string>()
  return (host) => {
    if (reported.has(host) || reported.size >= MAX_HOSTS_REPORTED) return
    reported.add(host)
    const name = /^[\w.:/[\]-]{1,100}$/.test(host) ? `"${host}"` : 'another host'
    raise({
      type: 'warning',
      code: 'other_host',
      detail: `A login started at ${name}, but "baseUrl" (PPOPPO_BASE_URL) is ${config.origin}. Cookies set there do not reach the callback, so the browser was redirected to "baseUrl". Open the app under "baseUrl", or set "baseUrl" to where it is opened. If a proxy puts its own name into Host, let it pass on the visitor's (nginx: proxy_set_header Host $host), or send X-Forwarded-Host.`,
    })
  }
}
