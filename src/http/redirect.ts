import type { Response } from 'express'

/**
 * Redirects, without the page that Express writes for browsers without redirects: choosing its language and escaping the
 * URL takes a third of the time of such an answer.
 * @param url absolute, as `URL` writes it
 */
export function redirectTo(res: Response, status: 302 | 303, url: string): void {
  res.statusCode = status
  res.setHeader('Location', url)
  res.setHeader('Content-Length', '0')
  res.end()
}
