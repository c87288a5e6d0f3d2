import type { Request, RequestHandler } from 'express'
import { PpoppoError } from '../errors.js'
import { type InstanceParts, instanceOf } from '../instances.js'
import { isPlainObject } from '../lib/guards.js'
import { unknownKeys } from '../lib/known-keys.js'
import { randomToken, systemRuntime } from '../lib/runtime.js'
import { isPpnum } from '../ppnum.js'
import { changeSessionId } from '../session/change-session-id.js'
import type { SignInPointer } from '../session/pointer.js'
import { askOnSignIn } from '../sign-in/on-sign-in.js'
import { Refusal } from '../sign-in/refusal.js'
import type { SignIn } from '../vault/record.js'
import { inSessionRequest } from './session-request.js'
import { addCookie, instancesIn, isSupertestAgent, type SupertestAgent, sessionsIn } from './supertest-agent.js'
import { rememberOrigin } from './to-playwright.js'

/** Who to sign in. */
export interface TestUser {
  /** ppnum_id: not empty, at most 256 characters. */
  readonly sub: string
  /** 11 digits or more. */
  readonly ppnum: string
  /** Only for accounts that are not people, e.g. `'ai_agent'`. */
  readonly accountType?: string
  /** What becomes `req.ppoppo.account`: plain JSON data. @default what `onSignIn` returns */
  readonly account?: unknown
}

/** How to sign in. */
export interface SignInAsOptions {
  /** The instance, if the agent's app has several. */
  readonly auth?: RequestHandler
  /** With `session: false`: the session middleware of your app. @default the one that an agent's app has */
  readonly session?: RequestHandler
  /**
   * Tokens from PAS, or from the sandbox. Without them `accessToken()` returns a made-up one and `userinfo()` fails as for
   * any token that PAS rejects.
   */
  readonly tokens?: { readonly accessToken: string; readonly refreshToken?: string }
  /** Scopes that PAS granted. @default those that the instance asks for */
  readonly scopes?: readonly string[]
  /** The browser. @default 'express-ppoppo/testing' */
  readonly userAgent?: string
}

const TOKEN_LIFETIME_MS = 3_600_000
const MAX_SUB_LENGTH = 256
const USER = ['sub', 'ppnum', 'accountType', 'account']
const OPTIONS = ['auth', 'session', 'tokens', 'scopes', 'userAgent']

/**
 * Signs somebody in as the callback does, without PAS and without HTTP: a real sign-in in the app's store, a real session,
 * a signed cookie. `onSignIn` runs unless `account` is given.
 *
 * @param target the instance (`ppoppo()`), or a supertest agent, which gets the cookie
 * @returns a `Cookie` header for supertest, `fetch` or, by {@link toPlaywright}, Playwright
 * @throws `request_invalid` for a malformed user, a wrong option or unknown target, `session_missing` with `session: false` and no session
 *   given or found, `sign_in_denied` as thrown by `onSignIn`, `store_unavailable`
 *
 * @example
 * const cookie = await signInAs(auth, { sub: '01HZY3V9QK8E5R6T7W8X9Y0Z1A', ppnum: '12312345678' })
 * await request(app).get('/account').set('Cookie', cookie).expect(200)
 */
export async function signInAs(
  target: RequestHandler | SupertestAgent,
  user: TestUser,
  options: SignInAsOptions = {},
): Promise<string> {
  assertOptions(options)
  const parts = partsOf(target, options)
  assertUser(user)
  const { config, vault, pointerKey } = parts
  const { userAgent = 'express-ppoppo/testing' } = options
  const session = config.ownSession ? parts.session : appSession(target, options)

  const cookies = await inSessionRequest({ origin: config.origin, session, userAgent }, async (req) => {
    const signIn = await vault.create(await toNewSignIn(parts, user, options, req), systemRuntime.now())
    if (!signIn) throw invalid('This person was signed out everywhere at this moment; call signInAs() again.')
    const pointer: SignInPointer = { signInId: signIn.id, returnTo: config.homeUrl, arrivals: [] }
    await changeSessionId(req, { key: pointerKey, pointer, keep: [], beside: async () => {} })
  })
  const cookie = cookies.join('; ')
  rememberOrigin(cookie, config.origin)
  if (isSupertestAgent(target)) addCookie(target, cookie)
  return cookie
}

function partsOf(target: unknown, { auth }: SignInAsOptions): InstanceParts {
  if (auth !== undefined || typeof target === 'function') {
    const found = instanceOf(auth ?? Object(target))
    if (found) return found
    throw invalid(
      'The first argument is no instance of ppoppo() from this copy of express-ppoppo. Pass "auth" itself, and let app and test import the same express-ppoppo.',
    )
  }
  if (!isSupertestAgent(target)) {
    throw invalid('The first argument must be the instance (auth), or a supertest agent: request.agent(app).')
  }
  const found = instancesIn(target)
  if (found.length === 1 && found[0]) return found[0]
  throw invalid(
    found.length === 0
      ? 'The app of this agent has no instance of ppoppo() mounted. Make the agent from the app itself, or name the instance: signInAs(agent, user, { auth }).'
      : `The app of this agent has ${found.length} instances of ppoppo(). Name one: signInAs(agent, user, { auth }).`,
  )
}

/** With `session: false` the app makes the sessions. */
function appSession(target: unknown, { session }: SignInAsOptions): RequestHandler {
  if (session !== undefined) return session
  const found = isSupertestAgent(target) ? sessionsIn(target) : []
  if (found.length === 1 && found[0]) return found[0]
  throw new PpoppoError(
    'session_missing',
    `signInAs: with "session: false" the sessions are your app's. Name what makes them, what you mount before auth: const sessions = session({ ... }), signInAs(auth, user, { session: sessions }).${isSupertestAgent(target) ? ` The app of this agent has ${found.length} of express-session.` : ''}`,
  )
}

function assertUser(user: TestUser): void {
  const { sub, ppnum, accountType } = Object(user)
  if (typeof sub !== 'string' || sub === '' || sub.length > MAX_SUB_LENGTH) {
    throw invalid(`"sub" must be a text of 1 to ${MAX_SUB_LENGTH} characters: { sub, ppnum }.`)
  }
  if (!isPpnum(ppnum)) throw invalid('"ppnum" must be a text of 11 digits or more, without hyphens: \'12312345678\'.')
  if (accountType !== undefined && typeof accountType !== 'string') throw invalid('"accountType" must be a text.')
  const [unknown] = unknownKeys(user, USER)
  if (!unknown) return
  const hint = OPTIONS.includes(unknown.name)
    ? `pass it third: signInAs(auth, user, { ${unknown.name} })`
    : unknown.hint
  throw invalid(`"${unknown.name}" does not belong to the user; ${hint}.`)
}

/** A misspelt option must not be ignored: the test would pass, and show something else. */
function assertOptions(options: SignInAsOptions): void {
  if (!isPlainObject(options)) throw invalid(`The third argument takes an object with ${OPTIONS.join(', ')}.`)
  const [unknown] = unknownKeys(options, OPTIONS)
  if (unknown) throw invalid(`"${unknown.name}" is not an option; ${unknown.hint}.`)
  const { scopes, tokens, userAgent } = options
  if (scopes !== undefined && !(Array.isArray(scopes) && scopes.every((scope) => typeof scope === 'string')))
    throw invalid("\"scopes\" must be a list of texts: ['openid', 'profile'].")
  if (tokens !== undefined && typeof Object(tokens).accessToken !== 'string')
    throw invalid('"tokens" must be { accessToken, refreshToken? }.')
  if (userAgent !== undefined && typeof userAgent !== 'string') throw invalid('"userAgent" must be a text.')
}

async function toNewSignIn(
  { config }: InstanceParts,
  user: TestUser,
  { tokens, scopes = config.scope, userAgent = '' }: SignInAsOptions,
  req: Request,
): Promise<Parameters<InstanceParts['vault']['create']>[0]> {
  const { sub, ppnum, accountType } = user
  const person = { sub, ppnum, ...(accountType === undefined ? {} : { accountType }) }
  const account = await accountOf(config, user, person, req)
  const made: SignIn['tokens'] = {
    accessToken: tokens?.accessToken ?? `testing-${randomToken(systemRuntime, 128)}`,
    expiresAt: systemRuntime.now() + TOKEN_LIFETIME_MS,
    ...(tokens?.refreshToken === undefined ? {} : { refreshToken: tokens.refreshToken }),
  }
  return { ...person, scopes, userAgent, tokens: made, ...(account === undefined ? {} : { account }) }
}

async function accountOf(
  config: InstanceParts['config'],
  user: TestUser,
  person: Pick<TestUser, 'sub' | 'ppnum' | 'accountType'>,
  req: Request,
): Promise<unknown> {
  const { account } = user
  try {
    return await askOnSignIn('account' in user ? { onSignIn: () => account } : config, person, req)
  } catch (error) {
    // The callback makes a page of it.
    throw error instanceof Refusal ? invalid(`No account for this person: ${error.message}.`) : error
  }
}

function invalid(problem: string): PpoppoError {
  return new PpoppoError('request_invalid', `signInAs: ${problem}`)
}
