import { PpoppoError } from '../errors.js'

/** A cookie for Playwright's `context.addCookies()`. */
export interface PlaywrightCookie {
  readonly name: string
  readonly value: string
  /** Where it is sent to. */
  readonly url: string
  readonly httpOnly: boolean
  readonly secure: boolean
  readonly sameSite: 'Lax'
}

/** Where a cookie belongs, for as many as a test run may hold at once. */
const MAX_ORIGINS = 1_000
const origins = new Map<string, string>()

/** Remembers which origin a cookie is for. */
export function rememberOrigin(cookie: string, origin: string): void {
  const oldest = origins.size >= MAX_ORIGINS ? origins.keys().next().value : undefined
  if (oldest !== undefined) origins.delete(oldest)
  origins.set(cookie, origin)
}

/**
 * A `Cookie` header of {@link signInAs} for Playwright.
 * @param url the app's origin @default the `baseUrl` of the instance that made the cookie
 * @throws `request_invalid` for a cookie that `signInAs` did not make, where no `url` is given
 * @example await context.addCookies(toPlaywright(await signInAs(auth, alex)))
 */
export function toPlaywright(cookie: string, url: string | undefined = origins.get(cookie)): PlaywrightCookie[] {
  if (typeof cookie !== 'string' || !cookie.includes('=') || url === undefined) {
    throw new PpoppoError(
      'request_invalid',
      'toPlaywright() takes the cookie that signInAs() returned in this process; for another one pass the URL of the app as well.',
    )
  }
  return cookie.split('; ').map((pair) => {
    const end = pair.indexOf('=')
    return {
      name: pair.slice(0, end),
      value: pair.slice(end + 1),
      url,
      httpOnly: true,
      secure: url.startsWith('https:'),
      sameSite: 'Lax',
    }
  })
}
