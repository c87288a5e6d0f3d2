import type { Request, Response } from 'express'
import { sendProblem } from '../http/problem.js'

/** `GET /session`: who is signed in, for the app's own pages. Does not extend the sign-in. */
export function sessionInfo(req: Request, res: Response): void {
  const { status, user, signIn } = req.ppoppo
  if (status === 'unavailable') {
    const detail = 'The store does not respond, so the server cannot tell who is signed in.'
    return sendProblem(res, 503, { code: 'store_unavailable', title: 'Sign-in state unknown', detail }, 5)
  }
  res.set('Cache-Control', 'private, no-store')
  if (!user || !signIn) return void res.json({ signedIn: false })
  const { sub, ppnum } = user
  res.json({ signedIn: true, user: { sub, ppnum }, expiresAt: signIn.expiresAt.toISOString() })
}
