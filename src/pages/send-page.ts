import type { Request, Response } from 'express'
import helmet from 'helmet'
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
export function sendPage(req: Request, res: Response, page: Page): void {
  if (res.headersSent) {
    res.end()
    return
  }
  secureHeaders(page)(req, res, () => undefined)
  res.vary('Accept-Language')
  res.vary('Accept')
  res.setHeader('Cache-Control', 'no-store')
  res.setHeader('Content-Language', page.language)
  res.setHeader('Content-Type', 'text/html; charset=utf-8')
  if (page.retryAfterSeconds !== undefined)
    res.setHeader('Retry-After', String(Math.max(1, Math.ceil(page.retryAfterSeconds))))
  res.status(page.status).end(page.html)
}

function secureHeaders(page: Page): ReturnType<typeof helmet> {
  return helmet({
    contentSecurityPolicy: {
      useDefaults: false,
      directives: {
        defaultSrc: ["'none'"],
        styleSrc: [PAGE_STYLE_SOURCE],
        formAction: page.hasForm ? ["'self'", ...formOrigin(page.formTarget)] : ["'none'"],
        frameAncestors: [page.isFramed ? '*' : "'none'"],
        baseUri: ["'none'"],
      },
    },
    referrerPolicy: { policy: referrerPolicy(page) },
    xFrameOptions: page.isFramed ? false : { action: 'deny' },
    // A cross-origin isolated site (COEP) only shows frames that send both headers.
    crossOriginResourcePolicy: { policy: page.isFramed ? 'cross-origin' : 'same-origin' },
    crossOriginEmbedderPolicy: page.isFramed && { policy: 'require-corp' },
    // HSTS is a promise about the whole host, so it is up to the app.
    strictTransportSecurity: false,
  })
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
