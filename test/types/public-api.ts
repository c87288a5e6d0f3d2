/** The public types, as a program that uses them sees them. Never run: `tsc` is the test. */
import express, { type RequestHandler } from 'express'
import {
  type Ppoppo,
  PpoppoError,
  type PpoppoEvent,
  type PpoppoOptions,
  type PpoppoUser,
  ppoppo,
  type RequestPpoppo,
  type SignInStatus,
  type UserInfo,
} from 'express-ppoppo'

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
const expectType = <_T extends true>(): void => {}

const options: PpoppoOptions = { clientId: 'x_login_client', baseUrl: 'http://localhost:3000' }
// @ts-expect-error options are readonly
options.clientId = 'other'
// @ts-expect-error an unknown option
ppoppo({ clientID: 'x_login_client' })
// @ts-expect-error an unknown option inside of one
ppoppo({ session: { idleSeconds: 1 } })
// @ts-expect-error a wrong value
ppoppo({ environment: 'staging' })
// @ts-expect-error `true` says nothing
ppoppo({ session: true })
// @ts-expect-error PKCE cannot be configured (C01)
ppoppo({ codeChallengeMethod: 'plain' })

const auth: Ppoppo = ppoppo(options)
const parts: readonly RequestHandler[] = [auth, auth.session, auth.middleware, auth.router, auth.requireSignIn()]
const app = express()
app.use(...parts)
export const started: Promise<void> = auth.ready({ signal: AbortSignal.timeout(1_000), timeoutMs: 500 })
// @ts-expect-error an unknown option of ready()
void auth.ready({ timeout: 500 })
// @ts-expect-error an unknown option of the guard
auth.requireSignIn({ returnPath: '/' })

app.get('/', async (req, res) => {
  expectType<Equal<typeof req.ppoppo.status, SignInStatus>>()
  expectType<Equal<SignInStatus, 'signed-in' | 'signed-out' | 'unavailable'>>()
  expectType<Equal<typeof req.ppoppo.user, PpoppoUser | undefined>>()
  expectType<Equal<typeof req.ppoppo.account, unknown>>()
  expectType<Equal<ReturnType<typeof req.ppoppo.userinfo>, Promise<UserInfo>>>()
  expectType<Equal<ReturnType<typeof req.ppoppo.accessToken>, Promise<string>>>()
  expectType<Equal<ReturnType<typeof req.ppoppo.recheck>, Promise<'signed-in' | 'signed-out'>>>()
  // @ts-expect-error nobody may be signed in
  res.send(req.ppoppo.user.sub)
  // @ts-expect-error decided by the library
  req.ppoppo.status = 'signed-in'
  // @ts-expect-error not kept: ask for it live
  res.send(req.ppoppo.user?.email)
  const info = await req.ppoppo.userinfo()
  expectType<Equal<typeof info.createdAt, Date>>()
  expectType<Equal<typeof info.email, string | undefined>>()
  await req.ppoppo.signOut({ everywhere: true })
  // @ts-expect-error a misspelt option would sign out here only
  await req.ppoppo.signOut({ everyWhere: true })
  const [first] = await req.ppoppo.signIns()
  const ended: boolean = first ? await req.ppoppo.endSignIn(first.id) : false
  res.json({ ended })
})

export function told(event: PpoppoEvent): string {
  // Narrows by type.
  if (event.type === 'sign_in_refused') return event.reason
  if (event.type === 'refresh_failed') return `${event.code} ${event.correlationId}`
  // @ts-expect-error not an event
  return event.type === 'signed-in' ? '' : event.at
}

export function advice(error: unknown): number {
  if (!(error instanceof PpoppoError)) return 500
  // @ts-expect-error not a code of the catalogue
  if (error.code === 'no_such_code') return 0
  return error.status
}

/** What an app's own test puts in place of the real one. */
export const stub: Pick<RequestPpoppo, 'status' | 'isSignedIn' | 'user' | 'signOut'> = {
  status: 'signed-in',
  isSignedIn: true,
  user: { sub: '01J00000000000000000000000', ppnum: '12312345678' },
  signOut: async () => {},
}
export const whole: RequestPpoppo = {
  ...stub,
  account: undefined,
  signIn: undefined,
  messaging: { ...auth.messaging, sendToUser: async () => ({ id: 's1', status: 'queued', totalRecipients: 1 }) },
  userinfo: async () => ({ sub: '01J00000000000000000000000', ppnum: '12312345678', createdAt: new Date(0) }),
  accessToken: async () => 'token',
  recheck: async () => 'signed-out',
  signIns: async () => [],
  endSignIn: async () => false,
}
