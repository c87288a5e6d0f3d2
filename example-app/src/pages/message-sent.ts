/*
 * One message that was sent: how its delivery goes, and the results of its poll. The same as JSON, which the page's
 * script asks for while something is still changing.
 */
import { type Request, Router } from 'express'
import { signedInPerson } from '../account.js'
import { HttpError } from '../errors.js'
import { type Delivery, describe, refresh } from '../messages/delivery.js'
import { field } from '../messages/draft.js'
import type { Trouble } from '../messages/explain.js'
import { type PollView, pollOf } from '../messages/poll.js'
import type { Send } from '../messages/sends.js'
import { TEMPLATES } from '../messages/templates.js'
import { type MessagesParts, troubleOf } from './messages.js'

/** What there is to say of one send now. */
export interface Progress {
  readonly delivery: Delivery
  readonly poll: PollView | undefined
  /** Why this may be old. */
  readonly trouble: Trouble | undefined
}

export function messageSentRoutes(parts: MessagesParts): Router {
  const router = Router()
  const { guard, sends, views } = parts

  router.get('/messages/:id.json', guard, async (req, res) => {
    const progress = await progressOf(parts, req, ownSend(parts, req))
    const { delivery, poll, trouble } = progress
    res.set('Cache-Control', 'no-store').json({
      ...delivery,
      ...(poll?.state === 'known' && { poll: poll.results }),
      ...(trouble !== undefined && { trouble: trouble.text }),
      // Answers go on coming in after everybody has the poll.
      isChanging: !delivery.isFinished || poll?.state === 'known',
      // The same template that drew the page: nothing is drawn in two places.
      html: views.fragment('send-progress', progress),
    })
  })

  router.get('/messages/:id', guard, async (req, res) => {
    const send = ownSend(parts, req)
    const progress = await progressOf(parts, req, send)
    const label = TEMPLATES[send.template].label
    views.send(req, res, 'message-sent', { ...progress, label, createdAt: send.createdAt, requestId: send.requestId })
  })

  router.post('/messages/:id/poll', guard, (req, res) => {
    const send = ownSend(parts, req)
    const pollId = field(req.body, 'poll_id').trim()
    if (!/^[\x21-\x7e]{1,200}$/.test(pollId))
      throw new HttpError(422, 'That is no poll id', 'It looks like poll_01HQ….')
    sends.setPollId(send.id, pollId)
    res.redirect(303, `/messages/${send.id}`)
  })

  return router
}

/** Somebody else's is not there, as one that never was. */
function ownSend({ sends }: MessagesParts, req: Request): Send {
  const id = String(req.params['id'])
  const send = /^\d{1,15}$/.test(id) ? sends.find(signedInPerson(req).account.id, Number(id)) : undefined
  if (send === undefined) throw new HttpError(404, 'There is no such message', 'It may be from another account.')
  return send
}

/** With Ppoppo down the page shows what we knew, and says so. */
async function progressOf({ sends, log }: MessagesParts, req: Request, send: Send): Promise<Progress> {
  const { messaging } = req.ppoppo
  try {
    const [now, poll] = await Promise.all([refresh(send, sends, messaging), pollOf(send, messaging)])
    return { delivery: describe(now), poll, trouble: undefined }
  } catch (error) {
    return { delivery: describe(send), poll: undefined, trouble: troubleOf(error, log) }
  }
}
