/*
 * The open connections of pages that change by themselves: one for the list of sends, one for a send.
 *
 * Each page has one. A browser opens six connections to a server at most as long as it speaks HTTP/1.1 with it, so six
 * tabs would be all there is; the page's script closes the one of a hidden tab. In front of a real app
 * there is a proxy that speaks HTTP/2, where that limit is gone.
 */
import { type Request, type RequestHandler, type Response, Router } from 'express'
import { signedInPerson } from '../account.js'
import { type LiveParts, LiveStream } from '../live/live-stream.js'
import { isStillSignedIn, type StreamLimit } from '../live/stream-limit.js'
import { ownSend } from './own-send.js'

export function liveRoutes(
  parts: LiveParts & { readonly guard: RequestHandler; readonly streams: StreamLimit },
): Router {
  const router = Router()

  function begin(req: Request, res: Response, sendId?: number): void {
    const { id: accountId } = signedInPerson(req).account
    if (!parts.streams.enter(req, res, accountId)) return
    const only = sendId === undefined ? {} : { sendId }
    new LiveStream(parts, req, res, { accountId, ...only, isStillSignedIn: () => isStillSignedIn(req) })
  }

  router.get('/messages/events', parts.guard, (req, res) => begin(req, res))
  router.get('/messages/:id/events', parts.guard, (req, res) => begin(req, res, ownSend(parts.store.sends, req).id))
  return router
}
