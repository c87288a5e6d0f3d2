import { type RequestHandler, Router } from 'express'
import { HttpError } from '../http-error.js'
import { textsOf } from '../texts/texts-of.js'
import { describeUserAgent } from '../user-agent.js'
import type { Views } from '../views.js'

/** Where else am I signed in, and how do I stop that? Every app that keeps people signed in owes them this page. */
export function signInsRoutes({ guard, views }: { guard: RequestHandler; views: Views }): Router {
  const router = Router()

  router.get('/sign-ins', guard, async (req, res) => {
    // Newest first, as the library gives them; this browser before all others.
    const signIns = [...(await req.ppoppo.signIns())].sort((a, b) => Number(b.current) - Number(a.current))
    views.send(req, res, 'sign-ins', {
      signIns: signIns.map(({ userAgent, ...signIn }) => ({
        ...signIn,
        browser: describeUserAgent(userAgent, textsOf(req)),
      })),
    })
  })

  router.post('/sign-ins/end', guard, async (req, res) => {
    const body: unknown = req.body
    const id = typeof body === 'object' && body !== null && 'id' in body ? body.id : undefined
    const isThisBrowser = id === req.ppoppo.signIn?.id
    // `false` for one that has ended already, and for somebody else's: the answer does not say which.
    if (typeof id !== 'string' || !(await req.ppoppo.endSignIn(id))) {
      throw new HttpError(404, 'no_such_sign_in')
    }
    res.redirect(303, isThisBrowser ? '/?notice=signed-out' : '/sign-ins?notice=sign-in-ended')
  })

  router.post('/sign-ins/end-all', guard, async (req, res) => {
    // Here too, and sign-ins that are only just being made elsewhere.
    await req.ppoppo.signOut({ everywhere: true })
    res.redirect(303, '/?notice=signed-out-everywhere')
  })

  return router
}
