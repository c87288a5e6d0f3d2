import type { Request } from 'express'
import type { PpoppoUser } from '../config/options.js'
import { isPpoppoError, PpoppoError } from '../errors.js'
import { toReturnParam } from '../login-link/return-to.js'
import { type Grant, missingScopes } from '../provider/provider.js'
import { changeSessionId } from '../session/change-session-id.js'
import { readPointer, type SignInPointer } from '../session/pointer.js'
import type { Transaction } from '../session/transactions.js'
import { tagOf } from '../store/store.js'
import { type SignIn, toPpoppoUser } from '../vault/record.js'
import type { NewSignIn } from '../vault/vault.js'
import { arrivalOf, type CallbackParams, withArrival } from './callback-params.js'
import { askOnSignIn } from './on-sign-in.js'
import { Refusal, refusalOfProvider } from './refusal.js'
import type { RouteParts } from './route-parts.js'

const MAX_USER_AGENT_LENGTH = 256

/** The steps from a taken login attempt to a signed-in browser. */
export interface Completion {
  /**
   * Exchanges the code, identifies the person, asks the app, creates the sign-in and gives the browser a new session. If a
   * step fails, nothing is left behind.
   * @throws what `toRefusal` turns into a page
   */
  completeSignIn(req: Request, params: CallbackParams, transaction: Transaction): Promise<SignIn>
  /**
   * Points a new session at the sign-in, and ends the previous sign-in of this browser.
   * @param beside done while the session is saved; if it fails, so does this, and the browser's session stays as it was
   * @returns what `beside` gave
   */
  startSession<T>(req: Request, params: CallbackParams, to: SessionTarget, beside: () => Promise<T>): Promise<T>
}

/** The sign-in that a session will point at. */
type SessionTarget = Pick<SignInPointer, 'signInId' | 'returnTo'>

/** Creates the steps. */
export function createCompletion(parts: RouteParts): Completion {
  const { config, raise, provider, vault, pointerKey, toReturnTo } = parts

  async function completeSignIn(req: Request, params: CallbackParams, transaction: Transaction): Promise<SignIn> {
    await assertIssuer(params)
    if (params.error !== undefined) throw refusalOfProvider(params.error)
    const grant = await provider.exchangeCode({ ...transaction, code: params.code ?? '' })
    try {
      assertScopes(grant)
      const user = await identify(grant)
      const account = await askOnSignIn(config, user, req)
      const signIn = { ...toNewSignIn(req, { user, grant, account }), id: vault.newId(user.sub) }
      return await saveWithSession(req, params, { signIn, transaction })
    } catch (error) {
      revokeUnused(grant)
      throw error
    }
  }

  async function assertIssuer({ iss }: CallbackParams): Promise<void> {
    if (await provider.isExpectedIssuer(iss)) return
    const detail = 'the response names another issuer, or none although PAS announces one'
    throw new Refusal({ page: 'verification_failed', reason: 'issuer_mismatch', detail })
  }

  function assertScopes({ scopes }: Grant): void {
    const missing = missingScopes(config.scope, scopes)
    if (missing.length === 0) return
    const message = `PAS granted fewer scopes than requested: ${missing.join(', ')} is missing.`
    throw new PpoppoError('scope_shortfall', message, { missing })
  }

  async function identify({ accessToken, sub }: Grant & { readonly sub: string }): Promise<PpoppoUser> {
    const info = await provider.userinfo(accessToken, sub)
    if (info === 'rejected')
      throw new PpoppoError('provider_unavailable', 'PAS rejected the access token that it just issued.')
    return toPpoppoUser(info)
  }

  /** Both at once: should there be no sign-in to point at, nobody has got the cookie of the session yet. */
  async function saveWithSession(
    req: Request,
    params: CallbackParams,
    {
      signIn,
      transaction,
    }: { readonly signIn: NewSignIn & { readonly id: string }; readonly transaction: Transaction },
  ): Promise<SignIn> {
    const target = { signInId: signIn.id, returnTo: transaction.returnTo }
    try {
      return await startSession(req, params, target, () => save(signIn, transaction))
    } catch (error) {
      await vault.discard(signIn.id)
      throw error
    }
  }

  async function save(signIn: NewSignIn, { begunAt }: Transaction): Promise<SignIn> {
    const saved = await vault.create(signIn, begunAt)
    if (saved) return saved
    const detail = 'signed out everywhere while signing in'
    throw new Refusal({ page: 'signed_out_everywhere', reason: 'signed_out_everywhere', detail })
  }

  /** Nobody will use these tokens. If PAS announces no revocation endpoint, they expire. */
  function revokeUnused({ refreshToken }: Grant): void {
    if (!refreshToken) return
    void provider
      .revoke(refreshToken)
      .catch(() => raise({ type: 'revocation_failed', detail: 'after a failed callback' }))
  }

  async function startSession<T>(
    req: Request,
    params: CallbackParams,
    to: SessionTarget,
    beside: () => Promise<T>,
  ): Promise<T> {
    const previous = readPointer(req.session, pointerKey)
    // What another person left in this browser is not for this one.
    const isSamePerson = !previous || tagOf(previous.signInId) === tagOf(to.signInId)
    const pointer = {
      signInId: to.signInId,
      returnTo: toReturnParam(to.returnTo, config.origin, toReturnTo),
      arrivals: withArrival(previous?.arrivals ?? [], arrivalOf(params)),
    }
    const keep = isSamePerson ? config.keepAnonymous : []
    const result = await changeSessionId(req, { key: pointerKey, pointer, keep, beside }).catch(rethrow)
    // Last, when its session is gone: if the store fails before, the person stays signed in as before.
    if (previous && previous.signInId !== to.signInId) await endReplaced(previous.signInId)
    return result
  }

  async function endReplaced(id: string): Promise<void> {
    const ended = await vault.replace(id)
    if (ended) raise({ type: 'sign_out', sub: ended.sub, signInId: ended.id, reason: 'replaced' })
  }

  return { completeSignIn, startSession }
}

/** The store of an app's own session throws errors of its own. */
function rethrow(error: unknown): never {
  if (isPpoppoError(error) || error instanceof Refusal) throw error
  const why = error instanceof Error ? error.name : 'no Error'
  throw new PpoppoError('store_unavailable', `The session could not be renewed (${why}).`, { cause: error })
}

/** What the steps have found out. */
interface Found {
  readonly user: PpoppoUser
  readonly grant: Grant
  readonly account: unknown
}

function toNewSignIn(req: Request, { user, grant, account }: Found): NewSignIn {
  const { accessToken, refreshToken, askedAt, expiresInMs, scopes } = grant
  return {
    ...user,
    scopes,
    userAgent: (req.get('user-agent') ?? '').slice(0, MAX_USER_AGENT_LENGTH),
    tokens: {
      accessToken,
      expiresAt: askedAt + expiresInMs,
      ...(refreshToken === undefined ? {} : { refreshToken }),
    },
    ...(account === undefined ? {} : { account }),
  }
}
