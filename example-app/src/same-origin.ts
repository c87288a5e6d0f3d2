/*
 * Cross-site request forgery, without tokens in every form.
 *
 * The session cookie is SameSite=Lax, so a browser leaves it out of a POST that another *site* starts: such a request
 * arrives as nobody. What Lax does not see is another *origin* of the same site (blog.example.com posting to
 * app.example.com), and that gap is closed here: every browser of today says in Sec-Fetch-Site who started a
 * request, page scripts cannot set it, and one that lacks it still sends Origin or Referer with a POST. A request with none of
 * these comes from no browser (curl, a test), holds nobody else's cookie, and has no one to be tricked.
 *
 * Two things keep this true when you copy it: GET must never change anything, and this must run before your routes.
 */
import type { RequestHandler } from 'express'
import { HttpError } from './http-error.js'

const SAFE_METHODS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS'])

export const sameOriginOnly: RequestHandler = (req, _res, next) => {
  if (SAFE_METHODS.has(req.method)) return next()
  const site = req.get('sec-fetch-site')
  const origin = req.get('origin') ?? originOf(req.get('referer'))
  // 'none' is the person: a form sent again by reloading, or from the address bar.
  const allowed =
    site !== undefined
      ? site === 'same-origin' || site === 'none'
      : origin === undefined || origin === `${req.protocol}://${req.host}`
  if (allowed) return next()
  next(new HttpError(403, 'cross_site'))
}

/** A Referer that cannot be read is a foreign one. */
function originOf(referer: string | undefined): string | undefined {
  if (referer === undefined) return undefined
  return URL.canParse(referer) ? new URL(referer).origin : 'null'
}
