import type { Request, Response } from 'express'
import { assertCallOptions } from './config/call-options.js'
import type { PpoppoUser } from './config/options.js'
import { isPpoppoError, PpoppoError } from './errors.js'
import type { Messaging, SendRequest } from './messaging/types/methods.js'
import { checkRequestNames, record } from './messaging/wire/validate.js'
import type { UserInfo } from './provider/profile.js'
import type { CurrentSignIn, RequestMessaging, RequestPpoppo, SignInStatus, SignInSummary } from './request-types.js'
import type { SignOut } from './user/sign-out.js'
import type { UserCalls } from './user/user-calls.js'
import { expiryOf } from './vault/lifetimes.js'
import { type SignIn, toPpoppoUser } from './vault/record.js'
import type { Vault } from './vault/vault.js'

/** What `req.ppoppo` is built on; one per instance. */
export interface RequestParts {
  readonly messaging: Messaging
  readonly idleMs: number
  readonly vault: Vault
  readonly userCalls: UserCalls
  readonly signOut: SignOut
}

/** What the middleware found out. */
export type SignInState =
  | { readonly status: 'signed-in'; readonly signIn: SignIn }
  | { readonly status: 'signed-out' | 'unavailable'; readonly signIn?: undefined }

/** What stands behind `req.ppoppo`. Every field is private: `util.inspect` shows nothing. */
export class SignInView implements RequestPpoppo {
  readonly #parts: RequestParts
  readonly #req: Request
  readonly #res: Response
  #state: SignInState
  #userinfo: Promise<UserInfo> | undefined
  #account: { readonly signIn: SignIn | undefined; readonly value: unknown } | undefined

  constructor(parts: RequestParts, req: Request, res: Response, state: SignInState) {
    this.#parts = parts
    this.#req = req
    this.#res = res
    this.#state = state
  }

  get status(): SignInStatus {
    return this.#state.status
  }

  get isSignedIn(): boolean {
    return this.#state.status === 'signed-in'
  }

  get user(): PpoppoUser | undefined {
    const { signIn } = this.#state
    return signIn && toPpoppoUser(signIn)
  }

  get account(): RequestPpoppo['account'] {
    const { signIn } = this.#state
    // Each request has its own, since the app may change it.
    if (this.#account?.signIn !== signIn) this.#account = { signIn, value: signIn?.account }
    // What the app's types promise about its own `onSignIn`.
    return this.#account?.value as RequestPpoppo['account']
  }

  get signIn(): CurrentSignIn | undefined {
    const { signIn } = this.#state
    return signIn && toCurrentSignIn(signIn, this.#parts.idleMs)
  }

  async recheck(): Promise<Exclude<SignInStatus, 'unavailable'>> {
    if (this.#state.status === 'signed-out') return 'signed-out'
    await this.#withSignIn((signIn) => this.#look(signIn))
    return this.#state.signIn ? 'signed-in' : 'signed-out'
  }

  async userinfo(): Promise<UserInfo> {
    return this.#callPas((signIn) => {
      this.#userinfo ??= this.#parts.userCalls.userinfo(signIn, this.#adopt).catch((error: unknown) => {
        this.#userinfo = undefined
        throw error
      })
      return this.#userinfo
    })
  }

  accessToken(): Promise<string> {
    return this.#callPas((signIn) => this.#parts.userCalls.accessToken(signIn, this.#adopt))
  }

  async signOut(options: { readonly everywhere?: boolean } = {}): Promise<void> {
    // Before anything else: who misspells it meant more than to sign out here.
    assertCallOptions(options, ['everywhere'], 'req.ppoppo.signOut')
    const { everywhere = false } = options
    if (typeof everywhere !== 'boolean') {
      throw new PpoppoError('config_invalid', 'req.ppoppo.signOut: "everywhere" must be true or false')
    }
    if (this.#state.status === 'unavailable') throw stillSignedIn()
    await this.#parts.signOut.endHere(this.#req, this.#res, this.#state.signIn, everywhere)
    this.leave()
  }

  /** The app has ended the session that this sign-in was in. */
  leave(): void {
    this.#state = { status: 'signed-out' }
    this.#userinfo = undefined
  }

  get messaging(): RequestMessaging {
    const shared = this.#parts.messaging
    return {
      ...shared,
      sendToUser: (request, options) =>
        this.#withSignIn(async ({ ppnum }) => {
          record(request, 'The request', 'sendToUser({ templateId, vars })')
          checkRequestNames(request, ['template', 'templateId', 'vars', 'poll'], 'sendToUser')
          const { vars, ...rest } = request
          const recipients = [{ ppnum, ...(vars === undefined ? {} : { vars }) }]
          return shared.send({ ...rest, recipients } as SendRequest, options)
        }),
    }
  }

  async signIns(): Promise<readonly SignInSummary[]> {
    return this.#withCheckedSignIn(async (signIn) => {
      const records = await this.#parts.vault.list(signIn.sub)
      return records.map(({ id, createdAt, lastSeenAt, userAgent }) => ({
        id,
        createdAt: new Date(createdAt),
        lastSeenAt: new Date(lastSeenAt),
        userAgent,
        current: id === signIn.id,
      }))
    })
  }

  async endSignIn(id: string): Promise<boolean> {
    return this.#withCheckedSignIn(async (signIn) => {
      if (typeof id !== 'string' || !this.#parts.vault.isOf(signIn.sub, id)) return false
      if (id !== signIn.id) return this.#parts.signOut.endOne(id, 'ended_elsewhere')
      await this.signOut()
      return true
    })
  }

  /** Tokens renewed during this request show in `signIn` at once, unless it has signed out meanwhile. */
  readonly #adopt = (signIn: SignIn): void => {
    if (this.#state.signIn?.id === signIn.id) this.#state = { status: 'signed-in', signIn }
  }

  /** What PAS has revoked is signed out for the rest of this request, too. */
  async #callPas<T>(call: (signIn: SignIn) => Promise<T>): Promise<T> {
    try {
      return await this.#withCheckedSignIn(call)
    } catch (error) {
      if (isPpoppoError(error, 'signed_out')) this.#state = { status: 'signed-out' }
      throw error
    }
  }

  /** A request may live for long: what acts for the person looks first whether they are signed in still. */
  async #withCheckedSignIn<T>(work: (signIn: SignIn) => Promise<T>): Promise<T> {
    await this.#withSignIn((signIn) => this.#look(signIn))
    return this.#withSignIn(work)
  }

  /** @throws `store_unavailable`; nothing has changed then. */
  async #look({ id }: SignIn): Promise<void> {
    const found = await this.#parts.vault.read(id)
    // A sign-out of this very request may have been quicker.
    if (this.#state.signIn?.id === id)
      this.#state = found ? { status: 'signed-in', signIn: found } : { status: 'signed-out' }
  }

  async #withSignIn<T>(work: (signIn: SignIn) => Promise<T>): Promise<T> {
    const { status, signIn } = this.#state
    if (signIn) return work(signIn)
    if (status === 'unavailable') {
      throw new PpoppoError(
        'store_unavailable',
        'The store does not answer, so it is not known who is signed in. Try again.',
      )
    }
    throw new PpoppoError(
      'signed_out',
      'Nobody is signed in in this browser. Guard the route with auth.requireSignIn().',
    )
  }

  /** What a log may show. */
  toJSON(): { status: SignInStatus; user: PpoppoUser | undefined } {
    return { status: this.status, user: this.user }
  }
}

/** A sign-in as the app sees it. */
export function toCurrentSignIn(signIn: SignIn, idleMs: number): CurrentSignIn {
  return {
    id: signIn.id,
    createdAt: new Date(signIn.createdAt),
    lastSeenAt: new Date(signIn.lastSeenAt),
    scopes: signIn.scopes,
    refreshedAt: new Date(signIn.refreshedAt),
    expiresAt: new Date(expiryOf(signIn, idleMs)),
  }
}

function stillSignedIn(): PpoppoError {
  return new PpoppoError(
    'store_unavailable',
    'The store does not answer: you are still signed in. Try again in a moment.',
  )
}
