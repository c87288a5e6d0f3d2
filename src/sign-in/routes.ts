import express, { type NextFunction, type Request, type RequestHandler, type Response, type Router } from 'express'
import { clientScript } from '../browser/client-script.js'
import type { Button } from '../button/button.js'
import { secureAnswer } from '../http/answer-headers.js'
import { sendAsset, toAsset } from '../http/asset.js'
import { createCors } from '../http/cors.js'
import type { RequestAddress } from '../http/request-address.js'
import { callBack } from '../lib/call-back.js'
import { createCallback } from './callback.js'
import { createLogin } from './login.js'
import { needsMiddleware } from './login-check.js'
import { createLogout, createLogoutConfirm, createOwnPostsOnly } from './logout.js'
import { createMoveToBaseUrl } from './move-to-base-url.js'
import { createReadForm } from './read-form.js'
import type { RouteParts } from './route-parts.js'
import { sessionInfo } from './session-info.js'
import { createScriptAnswer, createVisitsOnly } from './visits-only.js'

/** The routes in two parts. Both are mounted at the root, and pass on other requests. */
export interface Routes {
  /** Needs no session, so it comes before one is loaded: the button, login, and requests that must not change anything. */
  readonly front: RequestHandler
  /** Needs `req.session` and `req.ppoppo`. */
  readonly rest: RequestHandler
}

/** What all routes together need. */
export interface RoutesParts extends RouteParts {
  readonly button: Button
}

/** The table of contents: every route under `mountPath`. */
export function createRoutes(parts: RoutesParts): Routes {
  const { address, button, config } = parts
  const form = createReadForm(parts)
  const visitsOnly = createVisitsOnly(parts)
  const login = [createScriptAnswer(parts), createMoveToBaseUrl(parts), settle(createLogin(parts))]

  const front = tableOf(secure, {
    '/client.js': (router, path) => router.get(path, sendClientScript(config)),
    '/button.js': (router, path) => router.get(path, button.sendScript),
    '/button.css': (router, path) => router.get(path, button.sendStylesheet),
    '/button': (router, path) => router.get(path, button.sendFragment),
    '/logout': (router, path) => router.use(path, createCors({ config, method: 'POST' })),
    '/session': (router, path) => router.use(path, createCors({ config, method: 'GET' })),
    '/callback': (router, path) => router.use(path, visitsOnly),
    '/login': (router, path) => {
      router.use(path, visitsOnly).get(path, login).post(path, form, login)
      only(router, path, 'GET, POST')
    },
  })
  const rest = tableOf(needsMiddleware, {
    '/callback': (router, path) => {
      router.get(path, settle(createCallback(parts)))
      only(router, path, 'GET')
    },
    '/logout': (router, path) => {
      router.get(path, createLogoutConfirm(parts))
      router.post(path, createOwnPostsOnly(parts), form, settle(createLogout(parts)))
      only(router, path, 'GET, POST')
    },
    '/session': (router, path) => {
      router.get(path, sessionInfo)
      only(router, path, 'GET')
    },
  })

  return { front: at(address, front), rest: at(address, rest) }
}

/** Routers by the route they are for. */
interface RouteTable {
  readonly byRoute: ReadonlyMap<string, Router>
  /** For any other spelling of a route that Express takes for the same, such as `/Login/`. */
  readonly all: Router
}

/** A router for each route, since a router of all of them tries every one that comes before. */
function tableOf(
  first: RequestHandler,
  rules: Readonly<Record<string, (router: Router, path: string) => void>>,
): RouteTable {
  const byRoute = new Map<string, Router>()
  const all = express.Router()
  for (const [path, add] of Object.entries(rules)) {
    const router = express.Router()
    router.use(path, first)
    add(router, path)
    byRoute.set(path, router)
    all.use(router)
  }
  return { byRoute, all }
}

/** Express cannot match paths from which a proxy has stripped a prefix, so the path is cut to the route here. */
function at(address: RequestAddress, { byRoute, all }: RouteTable): RequestHandler {
  return function ppoppoRoutes(req: Request, res: Response, next: NextFunction): void {
    const route = address.routeOf(req)
    if (route === undefined) return next()
    const { url } = req
    const query = url.indexOf('?')
    req.url = route + (query < 0 ? '' : url.slice(query))
    const router = byRoute.get(route) ?? all
    router(req, res, (error?: unknown) => {
      req.url = url
      next(error)
    })
  }
}

/** The script by which a page follows the sign-in. */
function sendClientScript({ origin, mountPath }: RouteParts['config']): RequestHandler {
  const script = toAsset('text/javascript', clientScript(origin + mountPath))
  return (req, res) => sendAsset(req, res, script)
}

function secure(_req: Request, res: Response, next: NextFunction): void {
  secureAnswer(res)
  next()
}

function only(router: Router, path: string, methods: string): void {
  router.all(path, (_req, res) => {
    res.set('Allow', methods).set('Cache-Control', 'no-store').status(405).end()
  })
}

/** Express 4 ignores the promise of a handler. */
function settle(route: (req: Request, res: Response) => Promise<void>): RequestHandler {
  return (req, res, next) => {
    callBack(route(req, res), () => {}, next)
  }
}
