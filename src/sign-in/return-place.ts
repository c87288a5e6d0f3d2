import type { Request } from 'express'
import { toOwnOrigin } from '../http/asked-host.js'
import type { RouteParts } from './route-parts.js'

/** Whether the request only reads. */
export function isRead(req: Request): boolean {
  return req.method === 'GET' || req.method === 'HEAD'
}

/**
 * Where to return after signing in: the requested page. A form, or a fragment that a script requested, is not a page to
 * return to: then the page it was on.
 */
export function createReturnPlace({
  config,
  address,
  toReturnTo,
}: Pick<RouteParts, 'config' | 'address' | 'toReturnTo'>): (req: Request) => string {
  return (req) => {
    if (isRead(req) && !isPartOfPage(req)) return toReturnTo(address.publicUrlOf(req))
    const page = toOwnOrigin(req.get('hx-current-url') ?? req.get('referer') ?? '', req, config.origin)
    return page.startsWith(`${config.origin}/`) ? toReturnTo(page) : config.homeUrl
  }
}

/** By the headers of htmx and Turbo. */
function isPartOfPage(req: Request): boolean {
  const isHtmx = req.get('hx-request') === 'true' && req.get('hx-boosted') !== 'true'
  return isHtmx || req.get('turbo-frame') !== undefined
}
