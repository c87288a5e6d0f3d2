/*
 * Writing a message, to oneself or to a list of numbers, and the list of those one has sent.
 *
 * Before you copy this: here anybody who signs in may write to anybody, in your app's name and on your app's quota. There
 * is a limit an hour below, which is enough for an example. In your app, write to people who asked you to.
 */
import { randomUUID } from 'node:crypto'
import express, { type Request, type RequestHandler, type Response, Router } from 'express'
import { formatPpnum, isPpoppoError, type SendReceipt } from 'express-ppoppo'
import { signedInPerson } from '../account.js'
import { describe, isFinished, refresh } from '../messages/delivery.js'
import { checkDraft, type Draft, emptyDraft, readDraft } from '../messages/draft.js'
import type { Form } from '../messages/drafts.js'
import { explain, type Trouble } from '../messages/explain.js'
import type { MessageStore } from '../messages/message-store.js'
import type { Send, Sends } from '../messages/sends.js'
import { isTemplateKey, TEMPLATES, type TemplateIds } from '../messages/templates.js'
import { textsOf } from '../texts/texts-of.js'
import type { Views } from '../views.js'

export interface MessagesParts {
  readonly guard: RequestHandler
  readonly store: MessageStore
  readonly templateIds: TemplateIds
  readonly views: Views
  readonly log: (error: unknown) => void
}

const LIST_LENGTH = 20
/** Of those still under way, so many are asked about for one page: the newest. */
const MOST_LIVE = 5
const HOUR_MS = 3_600_000
const MOST_RECIPIENTS_AN_HOUR = 3_000
const HEALTH_DEADLINE_MS = 3_000
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

export function messagesRoutes(parts: MessagesParts): Router {
  const router = Router()
  const { sends, drafts } = parts.store

  router.get('/messages', parts.guard, (req, res) => {
    const formId = req.query['form']
    if (typeof formId !== 'string' || !UUID.test(formId)) return res.redirect(303, newFormUrl(req))
    const { id: accountId } = signedInPerson(req).account
    const sent = sends.findByForm(accountId, formId)
    const form = drafts.find(accountId, formId) ?? { draft: emptyDraft(formId) }
    return sendPage(parts, req, res, sent === undefined ? { form } : { sent })
  })

  // A thousand numbers are longer than what other forms of this app may send; this parser comes before theirs.
  const readBody = express.urlencoded({ extended: false, limit: '64kb' })
  router.post('/messages', parts.guard, readBody, async (req, res) => {
    const { user, account } = signedInPerson(req)
    // 303 after every POST: reloading the page that follows sends nothing, and the way back leads past no form.
    const showAgain = (form: Form): void => {
      drafts.save(account.id, form)
      res.redirect(303, `/messages?form=${form.draft.formId}`)
    }
    const draft = readDraft(req.body)
    if (!UUID.test(draft.formId)) return showAgain({ draft: withNewId(draft), trouble: FORM_UNKNOWN })
    const before = sends.findByForm(account.id, draft.formId)
    if (before !== undefined) return res.redirect(303, `/messages/${before.id}?notice=message-sent-already`)
    const checked = checkDraft(draft, textsOf(req))
    if ('problems' in checked) return showAgain({ draft, problems: checked.problems })

    const ppnums = draft.to === 'self' ? [user.ppnum] : checked.ppnums
    const limit = ownLimit(sends, account.id, ppnums.length)
    if (limit !== undefined) return showAgain({ draft, trouble: limit })

    const { formId, template } = draft
    const { send, isNew } = sends.begin({ accountId: account.id, formId, template, ppnums, message: draft.message })
    if (!isNew && send.state === 'refused') return showAgain({ draft: withNewId(draft), trouble: FORM_UNKNOWN })
    if (!isNew) return res.redirect(303, `/messages/${send.id}?notice=message-sent-already`)
    drafts.remove(account.id, formId)
    const trouble = await deliver(parts, req, { send, draft, ppnums })
    // With a new id: the old one belongs to the attempt that failed.
    if (trouble !== undefined) return showAgain({ draft: withNewId(draft), trouble })
    res.redirect(303, `/messages/${send.id}`)
  })

  return router
}

const FORM_UNKNOWN: Trouble = { key: 'form_unknown' }

const withNewId = (draft: Draft): Draft => ({ ...draft, formId: randomUUID() })

/**
 * The id of a form is in its address, so that it survives the back button: pages here are never taken from a cache, and
 * a new page would have another id, by which the same words could be sent a second time.
 */
function newFormUrl(req: Request): string {
  const query = new URLSearchParams(new URL(req.originalUrl, 'http://localhost').search)
  query.set('form', randomUUID())
  return `/messages?${query}`
}

/** A message that is about to be sent. */
interface Outgoing {
  readonly send: Send
  readonly draft: Draft
  readonly ppnums: readonly string[]
}

/** Sends, and records the outcome. @returns what went wrong, if it certainly was not sent */
async function deliver(
  { store: { sends }, templateIds, log }: MessagesParts,
  req: Request,
  { send, draft, ppnums }: Outgoing,
): Promise<Trouble | undefined> {
  try {
    sends.accept(
      send.id,
      await templateIds.use(draft.template, req.ppoppo.messaging, (id) => hand(req, id, draft, ppnums)),
    )
    return undefined
  } catch (error) {
    if (isPpoppoError(error, 'send_outcome_unknown')) {
      log(error)
      sends.end(send.id, 'unknown', 'outcome_unknown')
      return undefined
    }
    const trouble = troubleOf(error, log)
    sends.end(send.id, 'refused', trouble.key)
    return trouble
  }
}

/** The call itself. What the template has placeholders for goes into `vars`; Ppoppo fills them in. */
function hand(
  req: Request,
  templateId: string,
  { to, message }: Draft,
  ppnums: readonly string[],
): Promise<SendReceipt> {
  const { user, account } = signedInPerson(req)
  const vars = { from: account.displayName ?? formatPpnum(user.ppnum), message: message.trim() }
  const { messaging } = req.ppoppo
  if (to === 'self') return messaging.sendToUser({ templateId, vars })
  return messaging.send({ templateId, recipients: ppnums.map((ppnum) => ({ ppnum, vars })) })
}

function ownLimit(sends: Sends, accountId: number, more: number): Trouble | undefined {
  const hourAgo = new Date(Date.now() - HOUR_MS)
  if (sends.recipientsSince(accountId, hourAgo) + more <= MOST_RECIPIENTS_AN_HOUR) return undefined
  return { key: 'hourly_limit' }
}

/** What is wrong with our setup is for the log as well, unless it is not set up at all: that may be on purpose. */
export function troubleOf(error: unknown, log: (error: unknown) => void): Trouble {
  const trouble = explain(error)
  if (trouble.forOperator !== undefined && !isPpoppoError(error, 'messaging_not_configured')) log(error)
  return trouble
}

/** A form to fill in, or what was sent by one that is done. */
type PageState = { readonly form: Form; readonly sent?: undefined } | { readonly sent: Send; readonly form?: undefined }

async function sendPage(parts: MessagesParts, req: Request, res: Response, state: PageState): Promise<void> {
  const t = textsOf(req)
  const { draft, problems = {}, trouble: refusal } = state.form ?? { draft: emptyDraft('') }
  // Before anything is read: what happens from here on comes by the page's connection, which begins at this place.
  const place = parts.store.events.place()
  const known = parts.store.sends.newest(signedInPerson(req).account.id, LIST_LENGTH)
  // After a failed send it is known already whether Ppoppo answers.
  const setUp = refusal ?? (await setUpTrouble(parts, req))
  const { sends, trouble = setUp } = setUp === undefined ? await refreshed(parts, req, known) : { sends: known }
  parts.views.send(req, res, 'messages', {
    draft,
    problems,
    trouble,
    isUnsent: refusal !== undefined,
    sentAs: state.sent?.id,
    templates: Object.keys(TEMPLATES).filter(isTemplateKey),
    place,
    sends: sends.map((send, index) => ({
      delivery: describe(send, t),
      template: send.template,
      createdAt: send.createdAt,
      isAskedAbout: index < MOST_LIVE,
    })),
  })
}

/** Is messaging set up, and reachable? Checked before somebody writes five hundred characters, not after. */
async function setUpTrouble({ log }: MessagesParts, req: Request): Promise<Trouble | undefined> {
  const { error } = await req.ppoppo.messaging.health({ deadlineMs: HEALTH_DEADLINE_MS })
  return error === undefined ? undefined : troubleOf(error, log)
}

/** If Ppoppo cannot be asked, the page shows what is known. */
async function refreshed(
  { store: { sends }, log }: MessagesParts,
  req: Request,
  known: readonly Send[],
): Promise<{ readonly sends: readonly Send[]; readonly trouble?: Trouble }> {
  const live = new Set(known.filter((send) => !isFinished(send)).slice(0, MOST_LIVE))
  const { messaging } = req.ppoppo
  try {
    return { sends: await Promise.all(known.map((send) => (live.has(send) ? refresh(send, sends, messaging) : send))) }
  } catch (error) {
    return { sends: known, trouble: troubleOf(error, log) }
  }
}
