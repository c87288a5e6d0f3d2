import type { Request, Response } from 'express'
import { isFormOfBrowser } from '../http/request-reading.js'
import type { PageKind } from '../pages/text-types.js'
import type { RouteParts } from './route-parts.js'

/** Where to send a visitor, and by which page after a form. */
export interface OffSiteRedirect {
  readonly url: string
  readonly page: PageKind
  readonly pages: RouteParts['pages']
}

/**
 * Redirects a visitor to another origin. After a form, a page does it instead: Chromium and WebKit apply the `form-action`
 * policy of the page that held the form to the redirect, too. It is mostly 'self', and then nothing happens at all.
 */
export function redirectOffSite(req: Request, res: Response, { url, page, pages }: OffSiteRedirect): void {
  if (isFormOfBrowser(req)) return pages.send(req, res, page, { goOnUrl: url })
  res.set('Cache-Control', 'no-store')
  res.set('Referrer-Policy', 'no-referrer')
  res.redirect(req.method === 'POST' ? 303 : 302, url)
}
