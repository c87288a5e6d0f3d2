import type { Express, Request, Response } from 'express'
import express from 'express'
import type { Sandbox, SandboxOptions } from 'ppoppo-sandbox'
import type { Ppoppo, PpoppoOptions } from '../../../src/index.js'
import { startWorld, type World, type WorldOptions } from '../../support/world.js'

/** What a strict app allows: nothing inline, nothing from elsewhere. */
const STRICT = "default-src 'none'; script-src 'self'; style-src 'self'; form-action 'self'; base-uri 'none'"

/** One request that reached the app, as far as tests look at it. */
export interface Seen {
  readonly path: string
  /** `Sec-Purpose`, where the browser was only preparing. */
  readonly purpose: string
  readonly status: () => number
}

/** An app as people write them, with the sandbox's own sign-in page before it. */
export interface Shop extends World {
  readonly seen: Seen[]
}

/**
 * A small shop: `/` public with all three forms of the button, `/orders` and `/settings` guarded pages that link to each
 * other, `/email` guarded, `/hints` with hints to fetch the login beforehand.
 */
export async function startShop(
  options: PpoppoOptions = {},
  sandbox: Sandbox | SandboxOptions = { autoSignIn: null },
  { tls, routes }: Pick<WorldOptions, 'tls' | 'routes'> = {},
): Promise<Shop> {
  const seen: Seen[] = []
  const world = await startWorld({
    options,
    sandbox,
    ...(tls ? { tls } : {}),
    ...(routes ? { routes } : {}),
    mount: (app, auth) => {
      app.use((req, res, next) => {
        seen.push({ path: req.originalUrl, purpose: req.get('sec-purpose') ?? '', status: () => res.statusCode })
        next()
      })
      app.get('/favicon.ico', (_req, res) => void res.status(204).end())
      app.get('/plain', (_req, res) => void res.send('<!doctype html><title>Plain</title><h1>Plain</h1>'))
      app.use(auth)
      shopRoutes(app, auth)
    },
  })
  return Object.assign(world, { seen })
}

function shopRoutes(app: Express, auth: Ppoppo): void {
  const guard = auth.requireSignIn()
  app.get('/shop', (req, res) => {
    const links = `${auth.signInButton({ returnTo: '/orders?from=html' })}
<ppoppo-sign-in return-to="/orders?from=component"></ppoppo-sign-in>
<div id="fragment"></div>`
    page(res, 'Shop', req.ppoppo.isSignedIn ? '<a href="/orders">Orders</a>' : links)
  })
  app.get('/shop.js', (_req, res) => {
    res.type('js').send(`fetch('/auth/button?return_to=/orders%3Ffrom%3Dfragment').then((answer) => answer.text())
  .then((html) => { const place = document.getElementById('fragment'); if (place) place.innerHTML = html })`)
  })
  app.get('/orders', guard, (req, res) => {
    page(res, 'Orders', `<p>of ${req.ppoppo.user?.ppnum}</p><a href="/settings">Settings</a>${SIGN_OUT}`)
  })
  app.get('/settings', guard, (req, res) => page(res, 'Settings', `<p>of ${req.ppoppo.user?.ppnum}</p>`))
  app.get('/email', guard, async (req: Request, res: Response) => {
    try {
      page(res, 'E-mail', `<p>${(await req.ppoppo.userinfo()).email}</p>`)
    } catch {
      page(res, 'E-mail', "<p>can't be fetched</p>")
    }
  })
  app.get('/sign-ins', guard, async (req: Request, res: Response) => {
    const forms = (await req.ppoppo.signIns()).map(
      ({ id, current }) =>
        `<li><form method="post" action="/sign-ins"><input type="hidden" name="id" value="${id}"><button class="${current ? 'here' : 'other'}">End</button></form>`,
    )
    page(res, 'Sign-ins', `<ul>${forms.join('')}</ul>`)
  })
  app.post('/sign-ins', guard, express.urlencoded({ extended: false }), async (req: Request, res: Response) => {
    await req.ppoppo.endSignIn(String(req.body.id))
    res.redirect(303, '/sign-ins')
  })
  app.get('/hints', (_req, res) => {
    res.send(`<!doctype html><html lang="en"><title>Hints</title>
<link rel="prefetch" href="/auth/login?return_to=/orders%3Fby%3Dlink">
<script type="speculationrules">{"prefetch":[{"urls":["/auth/login?return_to=/orders%3Fby%3Dprefetch"],"eagerness":"immediate"}],
"prerender":[{"urls":["/auth/login?return_to=/orders%3Fby%3Dprerender"],"eagerness":"immediate"}]}</script>
<h1>Hints</h1><a href="/auth/login?return_to=/orders%3Fby%3Dprefetch">Sign in</a>`)
  })
}

const SIGN_OUT = '<a href="/auth/logout?return_to=/shop">Sign out</a>'

function page(res: Response, title: string, body: string): void {
  res.set('Content-Security-Policy', `${STRICT}; connect-src 'self'`)
  res.send(`<!doctype html><html lang="en"><head><title>${title}</title><meta name="color-scheme" content="light dark"><meta name="viewport" content="width=device-width">
<link rel="stylesheet" href="/auth/button.css"><script src="/auth/button.js" defer></script><script src="/shop.js" defer></script>
</head><body><h1>${title}</h1>${body}</body></html>`)
}
