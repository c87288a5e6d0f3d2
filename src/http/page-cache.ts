import type { Request, Response } from 'express'
import onHeaders from 'on-headers'

/**
 * Keeps a guarded page out of Chromium's back/forward cache.
 *
 * Firefox and WebKit keep no page that came with `no-store`. Chromium does, for some minutes, until an HttpOnly cookie
 * changes. A sign-out from another browser changes none here; and a session cookie that was set by the redirects a page
 * came through, as at the end of a sign-in, may go again without being counted. A cookie that the page's own answer sets
 * and sets once more is a change that is always counted. It holds no information and expires after a second.
 */
export function keepOutOfPageCache(req: Request, res: Response, isHttps: boolean): void {
  // Chromium says that it is one, on every request.
  if (req.headers['sec-ch-ua'] === undefined || req.headers['sec-fetch-dest'] !== 'document') return
  const cookie = isHttps ? { name: '__Host-ppoppo-page', flags: '; Secure' } : { name: 'ppoppo-page', flags: '' }
  onHeaders(res, () => {
    // Where the app made a public answer of it, there is nothing to hide, and a cookie may not go with it.
    if (!/no-store/i.test(String(res.getHeader('Cache-Control')))) return
    const others = [res.getHeader('Set-Cookie') ?? []].flat().map(String)
    const changes = ['1', '2'].map(
      (value) => `${cookie.name}=${value}; Max-Age=1; Path=/; HttpOnly; SameSite=Lax${cookie.flags}`,
    )
    res.setHeader('Set-Cookie', [...others, ...changes])
  })
}
