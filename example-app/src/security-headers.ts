/*
 * Helmet, for this app's own pages; the library sets its own on the pages under /auth.
 *
 * Nothing is allowed but files of this origin: no inline script, no inline style, no frame around us. That is also why
 * the pages have no `style="..."` and no `onclick="..."`. The sign-in button works under exactly this policy.
 */
import type { RequestHandler } from 'express'
import helmet from 'helmet'

export const securityHeaders: RequestHandler = helmet({
  contentSecurityPolicy: {
    useDefaults: false,
    directives: {
      defaultSrc: ["'none'"],
      scriptSrc: ["'self'"],
      styleSrc: ["'self'"],
      imgSrc: ["'self'"],
      connectSrc: ["'self'"],
      // A form may not lead off-site, not even by redirect. So sign-in is a link, and POSTs answer with our own pages.
      formAction: ["'self'"],
      baseUri: ["'none'"],
      frameAncestors: ["'none'"],
    },
  },
  // Helmet's default is no-referrer, and then browsers send `Origin: null` with our own forms (see requireSameOrigin() in app.ts).
  referrerPolicy: { policy: 'same-origin' },
  // For browsers that do not know frame-ancestors.
  xFrameOptions: { action: 'deny' },
  // Sent over https only where it counts. Your other subdomains are not this app's to decide about.
  strictTransportSecurity: { includeSubDomains: false },
})
