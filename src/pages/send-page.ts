import type { Request, Response } from 'express'
import helmet from 'helmet'
import { PAGE_STYLE_SOURCE } from './style.js'

/** A page ready to leave. */
export interface Page {
  readonly status: number
  readonly html: string
  /** BCP 47. */
  readonly language: string
  readonly hasForm: boolean
  /** Its address holds a code: no other page is told of it, not even ours. */
  readonly isCallback: boolean
  /** Any site may show it in a frame: it says and does the same for everybody. */
  readonly isFramed: boolean
  /** Where the form's answer may redirect to besides our own origin: browsers hold that against `form-action` too. */
  readonly formTarget?: string
  readonly retryAfterSeconds?: number
}

/**
 * Sends a page under a content security policy that allows its own stylesheet and nothing else: no script, no frame,
 * no base. It is never stored, and the address, which may hold a code, is never sent on as a referrer.
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
    // A site that isolates itself (COEP) shows frames that say both.
    crossOriginResourcePolicy: { policy: page.isFramed ? 'cross-origin' : 'same-origin' },
    crossOriginEmbedderPolicy: page.isFramed && { policy: 'require-corp' },
    // HSTS is a promise about the whole host: the app's to make.
    strictTransportSecurity: false,
  })
}

/** With no-referrer a browser sends `Origin: null` along with a form, which the route rightly refuses. */
function referrerPolicy({ hasForm, isCallback }: Page): 'no-referrer' | 'same-origin' | 'strict-origin' {
  if (!hasForm) return 'no-referrer'
  return isCallback ? 'strict-origin' : 'same-origin'
}

/** The origin of an absolute target, where it is one that a policy can name. */
function formOrigin(target: string | undefined): readonly string[] {
  if (target === undefined || !URL.canParse(target)) return []
  const { origin } = new URL(target)
  return /^https?:\/\/[\w.:[\]-]+$/.test(origin) ? [origin] : []
}
