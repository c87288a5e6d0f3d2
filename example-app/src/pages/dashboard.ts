import { type Request, type RequestHandler, type Response, Router } from 'express'
import { PpoppoError } from 'express-ppoppo'
import { signedInPerson } from '../account.js'
import type { Texts } from '../texts/texts.js'
import { textsOf } from '../texts/texts-of.js'
import type { Users } from '../users.js'
import type { EmailLine, Views } from '../views.js'
import { isVisible } from '../visible.js'

interface Parts {
  readonly guard: RequestHandler
  readonly users: Users
  readonly views: Views
}

/** Of a name that is too long, so much goes back into the form: it travels in the address. */
const MOST_TYPED = 200

/** Where one lands after sign-in: what Ppoppo says about the person, and the one thing that is ours, their name. */
export function dashboardRoutes({ guard, users, views }: Parts): Router {
  const router = Router()

  router.get('/dashboard', guard, (req, res) => {
    // What was typed and is no name, from the form below.
    const typed = textOf(req.query['name'])
    const problem = typed === undefined ? undefined : nameProblem(typed, textsOf(req))
    const shown = problem === undefined ? signedInPerson(req).account.displayName : typed
    return sendDashboard(views, req, res, shown ?? '', problem)
  })

  router.post('/dashboard/name', guard, (req, res) => {
    const typed = textOf(Object(req.body)['display_name']) ?? ''
    // 303 after every POST: reloading the page that follows sends nothing twice, and the way back leads past no form.
    if (nameProblem(typed, textsOf(req)) !== undefined) {
      res.redirect(303, `/dashboard?${new URLSearchParams({ name: typed.slice(0, MOST_TYPED) })}`)
      return
    }
    users.rename(signedInPerson(req).account.id, typed === '' ? null : typed)
    res.redirect(303, '/dashboard?notice=name-saved')
  })

  return router
}

async function sendDashboard(
  views: Views,
  req: Request,
  res: Response,
  displayName: string,
  nameError?: string,
): Promise<void> {
  const { user } = signedInPerson(req)
  const scopes = req.ppoppo.signIn?.scopes ?? []
  const email = await emailOf(req, scopes)
  // Read after userinfo(): that call may just have refreshed the access token.
  views.send(req, res, 'dashboard', {
    displayName,
    nameError,
    sub: user.sub,
    accountType: user.accountType,
    scopes,
    email,
    signIn: req.ppoppo.signIn,
  })
}

/**
 * The address is asked for each time and written down nowhere. Ppoppo being down takes away this one line and not the
 * page: the person is still signed in, and what is ours still works.
 */
async function emailOf(req: Request, scopes: readonly string[]): Promise<EmailLine> {
  if (!scopes.includes('email')) return { state: 'not-granted' }
  try {
    const { email } = await req.ppoppo.userinfo()
    return email === undefined ? { state: 'not-granted' } : { state: 'known', email }
  } catch (error) {
    if (error instanceof PpoppoError && error.status >= 500) return { state: 'unavailable' }
    throw error
  }
}

/** @returns `undefined` where the field is missing, or was sent twice */
function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value.normalize('NFC').trim() : undefined
}

function nameProblem(name: string, { account: t }: Texts): string | undefined {
  if ([...name].length > 40) return t.nameTooLong
  // Control and invisible formatting characters: a name must not turn the line around it the other way.
  if (/[\p{Cc}\p{Zl}\p{Zp}\u200e\u200f\u202a-\u202e\u2066-\u2069]/u.test(name) || (name !== '' && !isVisible(name))) {
    return t.nameInvisible
  }
  return undefined
}
