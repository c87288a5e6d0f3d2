import type { Request, Response } from 'express'
import { isFormOfBrowser } from '../http/request-reading.js'
import type { PageKind } from '../pages/texts.js'
import type { RouteParts } from './route-parts.js'

/**
 * Sends a visitor to another origin. After a form by way of a page: Chromium and WebKit hold a redirect against the
 * `form-action` of the page that the form was on, which is mostly 'self', and then nothing happens at all.
 */
export function sendOn(
  req: Request,
  res: Response,
  { url, by, pages }: { readonly url: string; readonly by: PageKind; readonly pages: RouteParts['pages'] },
): void {
  if (isFormOfBrowser(req)) return pages.send(req, res, by, { goOnUrl: url })
  res.set('Cache-Control', 'no-store')
  res.set('Referrer-Policy', 'no-referrer')
  res.redirect(req.method === 'POST' ? 303 : 302, url)
}
