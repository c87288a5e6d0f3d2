import { createServer, type Server } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import express, { type Express } from 'express'
import { type Sandbox, type SandboxOptions, startSandbox } from 'ppoppo-sandbox'
import type { PpoppoEvent } from '../../src/audit-events.js'
import { resolveConfig } from '../../src/config/config.js'
import type { Ppoppo, PpoppoOptions } from '../../src/index.js'
import { type Runtime, systemRuntime } from '../../src/lib/runtime.js'
import { createPpoppo } from '../../src/ppoppo.js'
import { type CookieNames, cookieNamesOf } from '../../src/session/cookie-names.js'
import { CookieBrowser } from './cookie-browser.js'
import type { SelfSigned } from './self-signed.js'

/** What the cookies of a world are called, unless its options name another client. */
export const COOKIES: CookieNames = cookieNamesOf({ clientId: 'test_login_client', isHttps: false })

/** An app with sign-in and the sandbox it signs in at, over real HTTP. */
export interface World {
  readonly url: string
  readonly auth: Ppoppo
  readonly app: Express
  readonly server: Server
  readonly sandbox: Sandbox
  readonly events: PpoppoEvent[]
  browser(): CookieBrowser
  /** A browser in which `person` has just signed in. */
  signedIn(person?: string): Promise<CookieBrowser>
  close(): Promise<void>
}

/** How to set up a world; everything has a default. */
export interface WorldOptions {
  readonly options?: PpoppoOptions
  readonly sandbox?: Sandbox | SandboxOptions
  /** Instead of `app.use(auth)`. */
  readonly mount?: (app: Express, auth: Ppoppo) => void
  /** After the standard routes. */
  readonly routes?: (app: Express, auth: Ppoppo) => void
  /** Another clock or fetch. */
  readonly runtime?: Runtime
  /** Another Express. */
  readonly createApp?: () => Express
  /** The app speaks https with this, for browsers that are told to take it. */
  readonly tls?: SelfSigned
}

/**
 * Starts sandbox (signing Alex in without asking) and app on free ports. Routes: `/` public, `/me` guarded JSON of
 * everything, `/page` guarded HTML, `/basket?add=x` writes to the session.
 */
export async function startWorld({
  options = {},
  sandbox: given,
  mount,
  routes,
  createApp = express,
  runtime = systemRuntime,
  tls,
}: WorldOptions = {}): Promise<World> {
  const isOwnSandbox = !(given && 'close' in given)
  const sandbox = given && 'close' in given ? given : await startSandbox({ pasPort: 0, autoSignIn: 'alex', ...given })
  const app = createApp()
  const server = tls ? createTlsServer(tls, app) : createServer(app)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const url = `${tls ? 'https' : 'http'}://localhost:${(server.address() as AddressInfo).port}`
  const events: PpoppoEvent[] = []
  const config = resolveConfig(
    {
      clientId: 'test_login_client',
      baseUrl: url,
      issuer: sandbox.issuer,
      scope: 'openid profile email',
      onEvent: (event) => events.push(event),
      ...options,
    },
    process.env,
  )
  const auth = createPpoppo({ config, runtime })
  if (mount) mount(app, auth)
  else app.use(auth)
  standardRoutes(app, auth)
  routes?.(app, auth)

  return {
    url,
    auth,
    app,
    server,
    sandbox,
    events,
    browser: () => new CookieBrowser(),
    async signedIn(person = 'alex') {
      const browser = new CookieBrowser()
      sandbox.control.set({ autoSignIn: person })
      let landed = await browser.go(`${url}/auth/login?return_to=/me`)
      // A busy machine may need more than a call's second for the first connection to Redis.
      for (let tries = 0; landed.status === 503 && tries < 3; tries += 1)
        landed = await browser.go(`${url}/auth/login?return_to=/me`)
      sandbox.control.set({ autoSignIn: 'alex' })
      if (landed.status !== 200)
        throw new Error(`sign-in ended with ${landed.status} at ${landed.url}: ${landed.text.slice(0, 500)}`)
      return browser
    },
    async close() {
      await auth.close()
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
      if (isOwnSandbox) await sandbox.close()
    },
  }
}

function standardRoutes(app: Express, auth: Ppoppo): void {
  app.get('/', (req, res) => {
    res.type('html').send(`home ${req.ppoppo.status}`)
  })
  app.get('/me', auth.requireSignIn(), (req, res) => {
    const { user, signIn, account, status } = req.ppoppo
    res.json({ status, user, account, signIn })
  })
  app.get('/page', auth.requireSignIn(), (req, res) => {
    res.type('html').send(`page of ${req.ppoppo.user?.ppnum}`)
  })
  app.get('/userinfo', auth.requireSignIn(), (req, res, next) => {
    req.ppoppo.userinfo().then((info) => res.json(info), next)
  })
  app.get('/token', auth.requireSignIn(), (req, res, next) => {
    // The token itself stays here: tests scan answers for it.
    req.ppoppo.accessToken().then((token) => res.json({ length: token.length }), next)
  })
  app.get('/basket', (req, res) => {
    const session = Object(req.session)
    if (typeof req.query['add'] === 'string') session.basket = [...(session.basket ?? []), req.query['add']]
    res.json({ basket: session.basket ?? [], id: req.sessionID })
  })
  app.use(
    (
      error: Error & { status?: number; code?: string },
      _req: express.Request,
      res: express.Response,
      _next: express.NextFunction,
    ) => {
      res.status(error.status ?? 500).json({ code: error.code ?? error.name, message: error.message })
    },
  )
}
