// `req.session` is typed wherever this package is imported: TypeScript 6 takes no types in by itself.
/// <reference types="express-session" preserve="true" />

import type { PpoppoUser } from './config/options.js'
import type { CallOptions, Messaging, PollConfig, SendReceipt, TemplateVars } from './messaging/types/calls.js'
import type { UserInfo } from './provider/profile.js'

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
  /** @throws `request_invalid` for a key it does not know, `signed_out`, `store_unavailable`, and what `send` throws. */
  sendToUser(request: UserSend, options?: CallOptions): Promise<SendReceipt>
}

/** `req.ppoppo`: the sign-in of this request. An interface, so that a test of yours may put a stand-in there. */
export interface RequestPpoppo {
  readonly status: SignInStatus
  /** `status === 'signed-in'` */
  readonly isSignedIn: boolean
  /** Who is signed in, already checked against the store; `undefined` when nobody is, or nobody knows. */
  readonly user: PpoppoUser | undefined
  /** What `onSignIn` returned at this sign-in. */
  readonly account: unknown
  /** This sign-in: since when, until when, what for. */
  readonly signIn: CurrentSignIn | undefined
  /** The Messaging API. Without its credentials every call rejects with `messaging_not_configured`. */
  readonly messaging: RequestMessaging
  /**
   * Looks once more whether the sign-in of this request still stands: a request that runs for long (a stream, an upload, a
   * report) learns here of a sign-out elsewhere. `status`, `isSignedIn`, `user` and the rest say so from then on.
   * `userinfo()`, `accessToken()`, `signIns()` and `endSignIn()` look by themselves.
   * @throws `store_unavailable`, where nobody can say; the sign-in is as it was.
   */
  recheck(): Promise<'signed-in' | 'signed-out'>
  /**
   * What PAS says of the person now: always live, asked once per request (again only where it failed).
   * @throws `signed_out`, `store_unavailable`, `provider_unavailable`, `provider_misconfigured`, `subject_mismatch`.
   */
  userinfo(): Promise<UserInfo>
  /**
   * An access token for calls of your own, good for at least some seconds. Opaque: do not parse it
   * (*Sign-in reference*). Keep it out of pages and logs.
   * @throws as {@link userinfo}.
   */
  accessToken(): Promise<string>
  /**
   * Ends the sign-in of this browser, or with `everywhere` all of this person's, for good.
   * @throws `store_unavailable`: then the person is still signed in. `config_invalid` for an option it does not know, before
   * anything is done.
   */
  signOut(options?: { readonly everywhere?: boolean }): Promise<void>
  /** This person's sign-ins, newest first. @throws `signed_out`, `store_unavailable`. */
  signIns(): Promise<readonly SignInSummary[]>
  /**
   * Ends one of this person's sign-ins.
   * @returns `false` where there is none with that id, or it is somebody else's.
   * @throws `signed_out`, `store_unavailable`.
   */
  endSignIn(id: string): Promise<boolean>
}
