import type { Response } from 'express'
import { PAGE_STYLE_SOURCE } from './style.js'

/** A page that is ready to be sent. */
export interface Page {
  readonly status: number
  readonly html: string
  /** BCP 47. */
  readonly language: string
  readonly hasForm: boolean
  /** Its URL contains a code, so it must never be sent as a referrer, not even to our own pages. */
  readonly isCallback: boolean
  /** Any site may show it in a frame, because it is the same for everybody. */
  readonly isFramed: boolean
  /** Where the response to the form may redirect besides our own origin: browsers apply `form-action` to redirects, too. */
  readonly formTarget?: string
  readonly retryAfterSeconds?: number
}

/**
 * Sends a page with a content security policy that allows its own stylesheet and nothing else: no script, no frame, no
 * base. The page is never stored, and its URL, which may contain a code, is never sent as a referrer.
 */
export function sendPage(res: Response, page: Page): void {
  if (res.headersSent) {
    res.end()
    return
  }
  setSecureHeaders(res, page)
  res.vary('Accept-Language')
  res.vary('Accept')
  res.setHeader('Cache-Control', 'no-store')
  res.setHeader('Content-Language', page.language)
  res.setHeader('Content-Type', 'text/html; charset=utf-8')
  if (page.retryAfterSeconds !== undefined)
    res.setHeader('Retry-After', String(Math.max(1, Math.ceil(page.retryAfterSeconds))))
  res.status(page.status).end(page.html)
}

/** The same for all pages: as helmet sets them. HSTS is not among them: it is a promise about the whole host, so up to the app. */
const SAME_FOR_ALL = Object.entries({
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Origin-Agent-Cluster': '?1',
  'X-Content-Type-Options': 'nosniff',
  'X-DNS-Prefetch-Control': 'off',
  'X-Download-Options': 'noopen',
  'X-Permitted-Cross-Domain-Policies': 'none',
  'X-XSS-Protection': '0',
})

function setSecureHeaders(res: Response, page: Page): void {
  const formAction = page.hasForm ? ["'self'", ...formOrigin(page.formTarget)].join(' ') : "'none'"
  const policy = [
    "default-src 'none'",
    `style-src ${PAGE_STYLE_SOURCE}`,
    `form-action ${formAction}`,
    `frame-ancestors ${page.isFramed ? '*' : "'none'"}`,
    "base-uri 'none'",
  ]
  res.setHeader('Content-Security-Policy', policy.join(';'))
  res.setHeader('Referrer-Policy', referrerPolicy(page))
  // A cross-origin isolated site (COEP) only shows frames that send both headers.
  res.setHeader('Cross-Origin-Resource-Policy', page.isFramed ? 'cross-origin' : 'same-origin')
  if (page.isFramed) res.setHeader('Cross-Origin-Embedder-Policy', 'require-corp')
  else res.setHeader('X-Frame-Options', 'DENY')
  for (const [name, value] of SAME_FOR_ALL) res.setHeader(name, value)
  res.removeHeader('X-Powered-By')
}

/** With `no-referrer`, browsers send `Origin: null` with a form, which the route rejects. */
function referrerPolicy({ hasForm, isCallback }: Page): 'no-referrer' | 'same-origin' | 'strict-origin' {
  if (!hasForm) return 'no-referrer'
  return isCallback ? 'strict-origin' : 'same-origin'
}

/** The origin of an absolute target, if a policy can name it. */
function formOrigin(target: string | undefined): readonly string[] {
  if (target === undefined || !URL.canParse(target)) return []
  const { origin } = new URL(target)
  return /^https?:\/\/[\w.:[\]-]+$/.test(origin) ? [origin] : []
}
