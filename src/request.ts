import type { Request, Response } from 'express'
import { isPpoppoError, PpoppoError } from './errors.js'
import type { CallOptions, Messaging, PollConfig, SendReceipt, TemplateVars } from './messaging/types.js'
import type { PpoppoUser } from './options.js'
import type { UserInfo } from './provider/profile.js'
import type { SignOut } from './user/sign-out.js'
import type { UserCalls } from './user/user.js'
import type { SignIn } from './vault/record.js'
import type { Vault } from './vault/vault.js'

declare global {
  namespace Express {
    interface Request {
      /** Sign in with Ppoppo, for this request. There wherever `auth` or `auth.middleware` is mounted. */
      ppoppo: RequestPpoppo
    }
  }
}

/** `unavailable`: the store does not answer, so nobody knows; that is not signed out. */
export type SignInStatus = 'signed-in' | 'signed-out' | 'unavailable'

/** One line of {@link RequestPpoppo.signIns}. */
export interface SignInSummary {
  /** For {@link RequestPpoppo.endSignIn}. */
  readonly id: string
  readonly createdAt: Date
  /** To the hour. */
  readonly lastSeenAt: Date
  /** The browser's `User-Agent` at sign-in, 256 characters at most. Written by the browser: escape it. */
  readonly userAgent: string
  /** Whether it is the sign-in of this request. */
  readonly current: boolean
}

/** The sign-in of this request. */
export interface CurrentSignIn {
  readonly id: string
  readonly createdAt: Date
  readonly lastSeenAt: Date
  readonly scopes: readonly string[]
  /** When PAS confirmed it last: at sign-in, then at every refresh. */
  readonly refreshedAt: Date
  /** The earlier of idle and absolute expiry. */
  readonly expiresAt: Date
}

/** A message to the person who is signed in. */
export interface UserSend {
  readonly templateId: string
  readonly vars?: TemplateVars
  readonly poll?: PollConfig
}

/** The Messaging API, the same client for all requests, and a short way to the person who is signed in. */
export interface RequestMessaging extends Messaging {
  /** @throws `signed_out` where nobody is signed in, `store_unavailable`, and what `send` throws. */
  sendToUser(request: UserSend, options?: CallOptions): Promise<SendReceipt>
}

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

/** `req.ppoppo` */
export class RequestPpoppo {
  readonly #parts: RequestParts
  readonly #req: Request
  readonly #res: Response
  #state: SignInState
  #userinfo: Promise<UserInfo> | undefined

  /** @internal */
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

  /** Who is signed in, already checked against the store; `undefined` when nobody is, or nobody knows. */
  get user(): PpoppoUser | undefined {
    const { signIn } = this.#state
    if (!signIn) return undefined
    const { sub, ppnum, accountType } = signIn
    return { sub, ppnum, ...(accountType === undefined ? {} : { accountType }) }
  }

  /** What `onSignIn` returned at this sign-in. */
  get account(): unknown {
    return this.#state.signIn?.account
  }

  /** This sign-in: since when, until when, what for. */
  get signIn(): CurrentSignIn | undefined {
    const { signIn } = this.#state
    if (!signIn) return undefined
    return {
      id: signIn.id,
      createdAt: new Date(signIn.createdAt),
      lastSeenAt: new Date(signIn.lastSeenAt),
      scopes: signIn.scopes,
      refreshedAt: new Date(signIn.refreshedAt),
      expiresAt: new Date(Math.min(signIn.touchedAt + this.#parts.idleMs, signIn.absoluteExpiresAt)),
    }
  }

  /**
   * What PAS says of the person now: always live, asked once per request (again only where it failed).
   * @throws `signed_out`, `store_unavailable`, `provider_unavailable`, `provider_misconfigured`, `subject_mismatch`.
   */
  userinfo(): Promise<UserInfo> {
    this.#userinfo ??= this.#callPas((signIn) => this.#parts.userCalls.userinfo(signIn, this.#adopt)).catch(
      (error: unknown) => {
        this.#userinfo = undefined
        throw error
      },
    )
    return this.#userinfo
  }

  /**
   * An access token for calls of your own, good for at least some seconds. Opaque: do not parse it
   * (*Sign-in reference*). Keep it out of pages and logs.
   * @throws as {@link userinfo}.
   */
  accessToken(): Promise<string> {
    return this.#callPas((signIn) => this.#parts.userCalls.accessToken(signIn, this.#adopt))
  }

  /**
   * Ends the sign-in of this browser, or with `everywhere` all of this person's, for good.
   * @throws `store_unavailable`: then the person is still signed in.
   */
  async signOut({ everywhere = false }: { readonly everywhere?: boolean } = {}): Promise<void> {
    if (this.#state.status === 'unavailable') throw stillSignedIn()
    await this.#parts.signOut.endHere(this.#req, this.#res, this.#state.signIn, everywhere)
    this.#state = { status: 'signed-out' }
    this.#userinfo = undefined
  }

  /** The Messaging API. Without its credentials every call rejects with `messaging_not_configured`. */
  get messaging(): RequestMessaging {
    const shared = this.#parts.messaging
    return {
      ...shared,
      sendToUser: (request, options) =>
        this.#withSignIn(async ({ ppnum }) => {
          // What it does not know stays in, so that `send` names it.
          const { vars, ...rest } = request
          return shared.send({ ...rest, recipients: [{ ppnum, ...(vars === undefined ? {} : { vars }) }] }, options)
        }),
    }
  }

  /** This person's sign-ins, newest first. @throws `signed_out`, `store_unavailable`. */
  async signIns(): Promise<readonly SignInSummary[]> {
    return this.#withSignIn(async (signIn) => {
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

  /**
   * Ends one of this person's sign-ins.
   * @returns `false` where there is none with that id, or it is somebody else's.
   * @throws `signed_out`, `store_unavailable`.
   */
  async endSignIn(id: string): Promise<boolean> {
    return this.#withSignIn(async (signIn) => {
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
      return await this.#withSignIn(call)
    } catch (error) {
      if (isPpoppoError(error, 'signed_out')) this.#state = { status: 'signed-out' }
      throw error
    }
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

  /** What a log may show; `util.inspect` shows nothing at all, since every field is private. */
  toJSON(): { status: SignInStatus; user: PpoppoUser | undefined } {
    return { status: this.status, user: this.user }
  }
}

function stillSignedIn(): PpoppoError {
  return new PpoppoError(
    'store_unavailable',
    'The store does not answer: you are still signed in. Try again in a moment.',
  )
}
