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

const ROUTES = ['/client.js', '/button.js', '/button.css', '/button', '/login', '/callback', '/logout', '/session']

/** What all routes together need. */
export interface RoutesParts extends RouteParts {
  readonly button: Button
}

/** The table of contents: every route under `mountPath`. */
export function createRoutes(parts: RoutesParts): Routes {
  const { address, button, config } = parts
  const form = createReadForm(parts)

  const front = express.Router()
  front.use(ROUTES, (_req, res, next) => {
    secureAnswer(res)
    next()
  })
  front.get('/client.js', sendClientScript(config))
  front.get('/button.js', button.sendScript)
  front.get('/button.css', button.sendStylesheet)
  front.get('/button', button.sendFragment)
  front.use('/logout', createCors({ config, method: 'POST' }))
  front.use('/session', createCors({ config, method: 'GET' }))
  front.use(['/login', '/callback'], createVisitsOnly(parts))
  const login = [createScriptAnswer(parts), createMoveToBaseUrl(parts), settle(createLogin(parts))]
  front.get('/login', login)
  front.post('/login', form, login)
  only(front, '/login', 'GET, POST')

  const rest = express.Router()
  rest.use(['/callback', '/logout', '/session'], needsMiddleware)
  rest.get('/callback', settle(createCallback(parts)))
  only(rest, '/callback', 'GET')
  rest.get('/logout', createLogoutConfirm(parts))
  rest.post('/logout', createOwnPostsOnly(parts), form, settle(createLogout(parts)))
  only(rest, '/logout', 'GET, POST')
  rest.get('/session', sessionInfo)
  only(rest, '/session', 'GET')

  return { front: at(address, front), rest: at(address, rest) }
}

/** Express cannot match paths from which a proxy has stripped a prefix, so the path is cut to the route here. */
function at(address: RequestAddress, router: Router): RequestHandler {
  return function ppoppoRoutes(req: Request, res: Response, next: NextFunction): void {
    const route = address.routeOf(req)
    if (route === undefined) return next()
    const { url } = req
    const query = url.indexOf('?')
    req.url = route + (query < 0 ? '' : url.slice(query))
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
