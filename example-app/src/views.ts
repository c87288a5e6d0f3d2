/*
 * Server-rendered pages with Eta. `<%= %>` escapes, always; `<%~ %>` does not, and is used for exactly three things: the
 * page inside the layout, a template inside another, and the HTML of the sign-in button, which the library wrote and
 * escaped.
 */

import { Eta } from 'eta'
import type { Request, Response } from 'express'
import { formatPpnum, type PollResults } from 'express-ppoppo'
import type { CampaignProgress } from 'express-ppoppo/campaigns'
import { accountOf } from './account.js'
import type { Auth } from './auth.js'
import type { CampaignForm } from './campaigns/campaign-form.js'
import { type CampaignActions, timeLeft, type UnknownLine } from './campaigns/campaign-view.js'
import { packageFile } from './config.js'
import type { Delivery } from './messages/delivery.js'
import type { Draft, DraftProblems } from './messages/draft.js'
import type { Trouble } from './messages/explain.js'
import type { PollView } from './messages/poll.js'
import type { RecipientLine } from './messages/recipients.js'
import type { TemplateKey } from './messages/templates.js'
import { lookUp, type Texts } from './texts/texts.js'
import { textsOf } from './texts/texts-of.js'

/** What each template needs besides what all of them get. */
export interface PageData {
  home: Record<string, never>
  dashboard: {
    readonly displayName: string
    readonly nameError: string | undefined
    readonly sub: string
    readonly accountType: string | undefined
    readonly scopes: readonly string[]
    readonly email: EmailLine
    readonly signIn: { readonly createdAt: Date; readonly refreshedAt: Date; readonly expiresAt: Date } | undefined
  }
  'sign-ins': { readonly signIns: readonly SignInLine[] }
  messages: MessagesPage
  'message-sent': SendProgress & {
    readonly isChanging: boolean
    readonly isPoll: boolean
    /** `undefined`: there is none, or it cannot be asked about now. */
    readonly poll: PollView | undefined
    readonly recipients: readonly RecipientLine[]
    /** In the feed of events: what this page knows. */
    readonly place: number
    readonly template: TemplateKey
    /** `undefined`: no longer kept. */
    readonly message: string | undefined
    readonly createdAt: Date
    readonly requestId: string | null
  }
  campaigns: {
    readonly form: CampaignForm
    readonly trouble?: Trouble
    readonly templates: readonly TemplateKey[]
    readonly list: readonly CampaignProgress[]
  }
  campaign: {
    readonly progress: CampaignProgress
    readonly actions: CampaignActions
    readonly unknown: readonly UnknownLine[]
  }
  message: { readonly title: string; readonly status: number; readonly explanation: string }
}

export interface MessagesPage {
  readonly draft: Draft
  readonly problems: DraftProblems
  readonly trouble: Trouble | undefined
  /** The id of the send that this form was sent as already; then there is no form to show. */
  readonly sentAs: number | undefined
  /** The trouble is about a message that somebody has just tried to send. */
  readonly isUnsent: boolean
  readonly templates: readonly TemplateKey[]
  /** In the feed of events: what this page knows. */
  readonly place: number
  readonly sends: readonly {
    readonly delivery: Delivery
    readonly template: TemplateKey
    readonly createdAt: Date
    /** Where no events come: whether the page may ask about it. */
    readonly isAskedAbout: boolean
  }[]
}

export interface SendProgress {
  readonly delivery: Delivery
  /** Why this may be old. */
  readonly trouble: Trouble | undefined
}

/** Parts of pages that are drawn again while the page is open. */
export interface FragmentData {
  'send-progress': SendProgress
  'poll-chart': { readonly results: PollResults }
  'campaign-progress': { readonly progress: CampaignProgress }
  'campaign-actions': CampaignActions
  'campaign-unknown': { readonly id: string; readonly unknown: readonly UnknownLine[] }
}

/** Ppoppo down, or the person did not grant the scope, is not the same as having none. */
export type EmailLine =
  | { readonly state: 'known'; readonly email: string }
  | { readonly state: 'unavailable' | 'not-granted' }

export interface SignInLine {
  readonly id: string
  readonly browser: string
  readonly createdAt: Date
  readonly lastSeenAt: Date
  readonly current: boolean
}

export interface Views {
  send<Name extends keyof PageData>(req: Request, res: Response, name: Name, page: PageData[Name]): void
  /** HTML of a part of a page, escaped as pages are. */
  fragment<Name extends keyof FragmentData>(name: Name, page: FragmentData[Name], t: Texts): string
}

/** What every page is drawn with. */
export interface ViewsParts {
  readonly auth: Auth
  /** Whether the menu names them. */
  readonly hasCampaigns: boolean
}

export function createViews({ auth, hasCampaigns }: ViewsParts): Views {
  const eta = new Eta({ views: packageFile('views'), cache: process.env['NODE_ENV'] === 'production' })
  return {
    send(req, res, name, page) {
      // Every page says who is signed in, so none may be shown to somebody else from a cache, or by the back button.
      res.set('Cache-Control', 'no-store').vary('Accept-Language')
      const t = textsOf(req)
      res.type('html').send(
        eta.render(name, {
          page,
          t,
          time: timeIn(t),
          // Said once after a form. By key: nobody can put words on our page through a link.
          notice: lookUp(t.notices, req.query['notice']),
          visitor: visitorOf(req),
          hasCampaigns,
          timeLeft,
          signInButton: (returnTo: string) => auth.signInButton({ returnTo, lang: t.language }),
          // After a form: the page it was on. Login takes no address of another site, whatever the header says.
          returnTo: req.method === 'GET' ? req.originalUrl : (req.get('referer') ?? '/'),
        }),
      )
    },
    fragment: (name, page, t) => eta.render(name, { page, t, time: timeIn(t), timeLeft }),
  }
}

/** For the header. `req.ppoppo` is missing only where an error arose before the library ran. */
function visitorOf(req: Request) {
  const ppoppo: Request['ppoppo'] | undefined = req.ppoppo
  const user = ppoppo?.user
  if (user === undefined) return { status: ppoppo?.status ?? 'unavailable' }
  const ppnum = formatPpnum(user.ppnum)
  return { status: 'signed-in', ppnum, name: accountOf(req)?.displayName || ppnum }
}

/** UTC for everybody; public/page.js turns it into the reader's own time. */
function timeIn({ locale }: Texts): (date: Date) => string {
  const format = new Intl.DateTimeFormat(locale, { dateStyle: 'medium', timeStyle: 'short', timeZone: 'UTC' })
  return (date) => `${format.format(date)} UTC`
}
