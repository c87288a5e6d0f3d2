import { type RequestHandler, Router } from 'express'
import { signedInPerson } from '../account.js'

/** JSON for your own scripts. The guard answers them with 401 problem+json instead of a redirect nobody sees. */
export function apiRoutes({ guard }: { guard: RequestHandler }): Router {
  const router = Router()
  router.get('/api/me', guard, (req, res) => {
    const { user, account } = signedInPerson(req)
    res.set('Cache-Control', 'no-store').json({ ...user, scopes: req.ppoppo.signIn?.scopes ?? [], account })
  })
  return router
}
