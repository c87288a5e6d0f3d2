import type { Request } from 'express'
import { toOwnOrigin } from '../http/asked-host.js'
import type { RouteParts } from './route-parts.js'

/**
 * Where somebody goes after signing in who was stopped by a guard: the page that was asked for. A form, or a part of a
 * page that a script asked for, is no place to come back to: then the page it was on.
 */
export function createReturnPlace({
  config,
  address,
  toReturnTo,
}: Pick<RouteParts, 'config' | 'address' | 'toReturnTo'>): (req: Request) => string {
  return (req) => {
    const isRead = req.method === 'GET' || req.method === 'HEAD'
    if (isRead && !isPartOfPage(req)) return toReturnTo(address.publicUrlOf(req))
    const page = toOwnOrigin(req.get('hx-current-url') ?? req.get('referer') ?? '', req, config.origin)
    return page.startsWith(`${config.origin}/`) ? toReturnTo(page) : config.homeUrl
  }
}

/** By what htmx and Turbo say. */
function isPartOfPage(req: Request): boolean {
  const isHtmx = req.get('hx-request') === 'true' && req.get('hx-boosted') !== 'true'
  return isHtmx || req.get('turbo-frame') !== undefined
}
