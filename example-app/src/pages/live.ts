/*
 * The open connections of pages that change by themselves: one for the list of sends, one for a send.
 *
 * Each page has one. A browser opens six connections to a server at most as long as it speaks HTTP/1.1 with it, so six
 * tabs would be all there is; the page's script closes the one of a hidden tab. In front of a real app
 * there is a proxy that speaks HTTP/2, where that limit is gone.
 */
import { type Request, type RequestHandler, type Response, Router } from 'express'
import { isPpoppoError } from 'express-ppoppo'
import { signedInPerson } from '../account.js'
import { HttpError } from '../http-error.js'
import { type LiveParts, LiveStream } from '../live/live-stream.js'
import { ownSend } from './own-send.js'

/** At one instance. Nobody has so many pages before them. */
const MOST_STREAMS_OF_ONE = 20
const RETRY_SECONDS = 30

export function liveRoutes(parts: LiveParts & { readonly guard: RequestHandler }): Router {
  const router = Router()
  const open = new Map<number, number>()

  function begin(req: Request, res: Response, sendId?: number): void {
    const { id: accountId } = signedInPerson(req).account
    const count = open.get(accountId) ?? 0
    if (count >= MOST_STREAMS_OF_ONE) {
      res.set('Retry-After', String(RETRY_SECONDS))
      throw new HttpError(429, 'too_many_pages')
    }
    // Express answers HEAD by GET's route, and this one would never end.
    if (req.method === 'HEAD') return void res.set('Cache-Control', 'no-store').type('text/event-stream').end()
    open.set(accountId, count + 1)
    res.on('close', () => {
      const left = (open.get(accountId) ?? 1) - 1
      if (left > 0) open.set(accountId, left)
      else open.delete(accountId)
    })
    const only = sendId === undefined ? {} : { sendId }
    new LiveStream(parts, req, res, { accountId, ...only, isStillSignedIn: () => isStillSignedIn(req) })
  }

  router.get('/messages/events', parts.guard, (req, res) => begin(req, res))
  router.get('/messages/:id/events', parts.guard, (req, res) => begin(req, res, ownSend(parts.store.sends, req).id))
  return router
}

/** `req.ppoppo` says who it was when the page connected, and that may be hours ago. @throws where the store is down */
async function isStillSignedIn(req: Request): Promise<boolean> {
  try {
    return (await req.ppoppo.signIns()).some(({ current }) => current)
  } catch (error) {
    if (isPpoppoError(error, 'signed_out')) return false
    throw error
  }
}
