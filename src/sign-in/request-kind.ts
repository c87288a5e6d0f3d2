import type { Request } from 'express'

/** A browser preparing for a click that may never come: it must start nothing (C05, C12). */
export function isPrefetch(req: Request): boolean {
  const purposes = [req.get('sec-purpose'), req.get('purpose'), req.get('x-purpose'), req.get('x-moz')]
  return purposes.some((purpose) => /prefetch|prerender|preview/i.test(purpose ?? ''))
}

/** An image, script or fetch of another site, or of a sister domain, aimed at our routes. */
export function isForeignSubresource(req: Request): boolean {
  const mode = req.get('sec-fetch-mode')
  const isForeign = ['cross-site', 'same-site'].includes(req.get('sec-fetch-site') ?? '')
  if (isForeign && mode !== undefined && mode !== 'navigate') return true
  // A frame that another site fills: no sign-in can end in it, since its cookies are not kept.
  const isFrame = ['iframe', 'frame', 'embed', 'object', 'fencedframe'].includes(req.get('sec-fetch-dest') ?? '')
  return isFrame && req.get('sec-fetch-site') === 'cross-site'
}

/** Whether a browser goes somewhere: it can be sent on to another site, a script's request cannot (C41). */
export function isNavigation(req: Request): boolean {
  const mode = req.get('sec-fetch-mode')
  return (mode === undefined || mode === 'navigate') && wantsHtml(req)
}

const HTML: readonly string[] = ['text/html', 'application/xhtml+xml']
const JSON_TYPES: readonly string[] = ['application/problem+json', 'application/json']

/**
 * Whether HTML is shown to somebody: `Accept` names it, and JSON is not liked better. A navigation does; so does a script
 * that puts answers into the page, such as Turbo. `*\/*` names nothing.
 */
export function wantsHtml(req: Request): boolean {
  const accept = (req.get('accept') ?? '').toLowerCase()
  const named = HTML.filter((type) => accept.includes(type))
  if (named.length === 0) return false
  const best = req.accepts([...named, ...JSON_TYPES])
  return typeof best === 'string' && named.includes(best)
}

/**
 * Whether a POST comes from our own pages, by `Sec-Fetch-Site` first and `Origin` where that is absent. With neither
 * there is no browser, and without a browser there is nobody whose cookies could be abused (C30).
 */
export function isSameOriginPost(req: Request, origin: string): boolean {
  const site = req.get('sec-fetch-site')
  if (site !== undefined) return site === 'same-origin' || site === 'none'
  const from = req.get('origin')
  return from === undefined || from === origin
}
