import type { Request, Response } from 'express'
import type { Config } from '../config/options.js'
import { beforeHeaders } from '../lib/before-headers.js'

/** For all our answers, whatever their type: no content sniffing, and only this site may read them. Pages add more. */
export function secureAnswer(res: Response): void {
  res.set({ 'X-Content-Type-Options': 'nosniff', 'Cross-Origin-Resource-Policy': 'same-origin' })
}

/**
 * A 401 says how to sign in (RFC 9110 15.5.2). The scheme is our own, so no browser asks for a user name and password.
 *
 * @param missing scopes that the sign-in lacks, named as RFC 6750 does for tokens
 * @example // WWW-Authenticate: Ppoppo realm="https://app.example", login="https://app.example/auth/login"
 */
export function challenge(
  res: Response,
  { origin, mountPath }: Pick<Config, 'origin' | 'mountPath'>,
  missing: readonly string[] = [],
): void {
  const lack = missing.length === 0 ? '' : `, error="insufficient_scope", scope="${missing.join(' ')}"`
  res.append('WWW-Authenticate', `Ppoppo realm="${origin}", login="${origin}${mountPath}/login"${lack}`)
}

/**
 * Keeps a guarded page out of Chromium's back/forward cache.
 *
 * Firefox and WebKit keep no page that came with `no-store`. Chromium does, for some minutes, until an HttpOnly cookie
 * changes. A sign-out in another browser changes no cookie here, and Chromium may miss the removal of a session cookie
 * that was set by the redirects before the page, as at the end of a sign-in. A cookie that the page's own answer sets
 * twice is a change that Chromium always counts. It holds no information and expires after a second.
 */
export function keepOutOfPageCache(req: Request, res: Response, isHttps: boolean): void {
  // Chromium sends this header with every request.
  if (req.headers['sec-ch-ua'] === undefined || req.headers['sec-fetch-dest'] !== 'document') return
  const cookie = isHttps ? { name: '__Host-ppoppo-page', flags: '; Secure' } : { name: 'ppoppo-page', flags: '' }
  beforeHeaders(res, () => {
    // If the app made the answer public, there is nothing to hide, and a cookie must not be cached with it.
    if (!/no-store/i.test(String(res.getHeader('Cache-Control')))) return
    const others = [res.getHeader('Set-Cookie') ?? []].flat().map(String)
    const changes = ['1', '2'].map(
      (value) => `${cookie.name}=${value}; Max-Age=1; Path=/; HttpOnly; SameSite=Lax${cookie.flags}`,
    )
    res.setHeader('Set-Cookie', [...others, ...changes])
  })
}
