/*
 * One message that was sent: how its delivery goes, to each of those it went to, and the results of its poll. While the
 * page is open its script gets what changes from live.ts; the same as JSON is for when that is not to be had.
 */
import { type Request, Router } from 'express'
import { type Delivery, describe, refresh } from '../messages/delivery.js'
import type { Trouble } from '../messages/explain.js'
import { hasPoll, type PollView, pollOf } from '../messages/poll.js'
import { type RecipientLine, recipientLines } from '../messages/recipients.js'
import type { Send } from '../messages/sends.js'
import type { Texts } from '../texts/texts.js'
import { textsOf } from '../texts/texts-of.js'
import { type MessagesParts, troubleOf } from './messages.js'
import { ownSend } from './own-send.js'

/** What there is to say of one send now. */
interface Progress {
  readonly delivery: Delivery
  readonly poll: PollView | undefined
  /** Why this may be old. */
  readonly trouble: Trouble | undefined
  /** Answers still arrive after everybody has received the poll. */
  readonly isChanging: boolean
}

export function messageSentRoutes(parts: MessagesParts): Router {
  const router = Router()
  const { guard, store, views } = parts

  router.get('/messages/:id.json', guard, async (req, res) => {
    const t = textsOf(req)
    const send = ownSend(store.sends, req)
    const { delivery, poll, trouble, isChanging } = await progressOf(parts, req, send)
    res.set('Cache-Control', 'no-store').json({
      ...delivery,
      ...(poll?.state === 'known' && {
        poll: poll.results,
        pollHtml: views.fragment('poll-chart', { results: poll.results }, t),
      }),
      ...(req.query['with'] === 'recipients' && { recipients: recipientsOf(parts, send, delivery, t) }),
      ...(trouble !== undefined && { trouble: t.troubles[trouble.key] }),
      isChanging,
      // The same template that drew the page: nothing is drawn in two places.
      html: views.fragment('send-progress', { delivery, trouble }, t),
    })
  })

  router.get('/messages/:id', guard, async (req, res) => {
    // Before anything is read: what happens from here on comes by the page's connection, which begins at this place.
    const place = store.events.place()
    const send = ownSend(store.sends, req)
    const progress = await progressOf(parts, req, send)
    views.send(req, res, 'message-sent', {
      ...progress,
      recipients: recipientsOf(parts, send, progress.delivery, textsOf(req)),
      message: store.sends.messageOf(send.id),
      place,
      isPoll: hasPoll(send),
      template: send.template,
      createdAt: send.createdAt,
      requestId: send.requestId,
    })
  })

  return router
}

/** If Ppoppo is down, the page shows what is known, and says so. */
async function progressOf({ store, log }: MessagesParts, req: Request, send: Send): Promise<Progress> {
  const { messaging } = req.ppoppo
  const t = textsOf(req)
  try {
    const [now, poll] = await Promise.all([refresh(send, store.sends, messaging), pollOf(send, messaging)])
    return toProgress(now, t, poll, undefined)
  } catch (error) {
    return toProgress(send, t, undefined, troubleOf(error, log))
  }
}

function toProgress(send: Send, t: Texts, poll: PollView | undefined, trouble: Trouble | undefined): Progress {
  const delivery = describe(send, t)
  const isChanging = !delivery.isFinished || (hasPoll(send) && poll?.state !== 'unknown-id')
  return { delivery, poll, trouble, isChanging }
}

function recipientsOf(
  { store }: MessagesParts,
  send: Send,
  { isFinished }: Delivery,
  t: Texts,
): readonly RecipientLine[] {
  const ppnums = store.recipients.of(send.id)
  return recipientLines({ ppnums, requestId: send.requestId, events: store.events, t, isOver: isFinished })
}
