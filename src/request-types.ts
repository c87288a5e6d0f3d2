// `req.session` is typed wherever this package is imported: TypeScript 6 takes no types in by itself.
/// <reference types="express-session" preserve="true" />

import type { PpoppoUser } from './config/options.js'
import type {
  CallOptions,
  Messaging,
  PollConfig,
  SendReceipt,
  TemplateRecipient,
  TemplateSendRequest,
  TemplateVars,
} from './messaging/types/methods.js'
import type { UserInfo } from './provider/profile.js'

declare global {
  namespace Express {
    interface Request {
      /** Sign in with Ppoppo, for this request. There wherever `auth` or `auth.middleware` is mounted. */
      ppoppo: RequestPpoppo
    }
  }
}

/**
 * For your types. Declare `account` here, once in your app, and `req.ppoppo.account` has this type in every file;
 * `onSignIn` must then return it.
 *
 * @example
 * declare module 'express-ppoppo' {
 *   interface PpoppoRegister { account: { id: number } }
 * }
 */
// biome-ignore lint/suspicious/noEmptyInterface: apps add to it
export interface PpoppoRegister {}

/** The `account` of {@link PpoppoRegister}; `unknown` if there is none. */
export type RegisteredAccount = PpoppoRegister extends { readonly account: infer Account } ? Account : unknown

/**
 * What `req.ppoppo.account` is after `onSignIn` returned a `Value`: it has been JSON in between. A `Date` becomes a string,
 * a function is dropped.
 */
export type StoredAccount<Value> = unknown extends Value
  ? Value
  : Value extends { toJSON(): infer Json }
    ? StoredAccount<Json>
    : Value extends string | number | boolean | null
      ? Value
      : Value extends bigint
        ? never
        : Value extends NotInJson
          ? undefined
          : Value extends readonly unknown[]
            ? { [Index in keyof Value]: Value[Index] extends NotInJson ? null : StoredAccount<Value[Index]> }
            : { [Name in keyof Value as StoredName<Name, Value[Name]>]: StoredAccount<Value[Name]> }

type NotInJson = ((...args: never[]) => unknown) | symbol | undefined
type StoredName<Name, Value> = Name extends symbol ? never : [Value] extends [NotInJson] ? never : Name

/** `unavailable`: the store does not respond, so it is not known who is signed in. That is not the same as signed out. */
export type SignInStatus = 'signed-in' | 'signed-out' | 'unavailable'

/** One entry of {@link RequestPpoppo.signIns}. */
export interface SignInSummary {
  /** Pass it to {@link RequestPpoppo.endSignIn}. */
  readonly id: string
  /** When the person signed in. */
  readonly createdAt: Date
  /** When it was last used, to the hour. */
  readonly lastSeenAt: Date
  /** The browser's `User-Agent` at sign-in, at most 256 characters. The browser chose it, so escape it. */
  readonly userAgent: string
  /** Whether it is the sign-in of this request. */
  readonly current: boolean
}

/** The sign-in of this request. */
export interface CurrentSignIn {
  /** Its id: no secret, and not the session id. */
  readonly id: string
  /** When the person signed in. */
  readonly createdAt: Date
  /** When it was last used, to the hour. */
  readonly lastSeenAt: Date
  /** The scopes that PAS granted. */
  readonly scopes: readonly string[]
  /** When PAS last confirmed it: at sign-in, then with every token refresh. */
  readonly refreshedAt: Date
  /** Its idle or absolute expiry, whichever is earlier. */
  readonly expiresAt: Date
}

/** A message to the person who is signed in. */
export interface UserSend {
  /** Id of a template of this app. */
  readonly templateId: string
  /** Values for its placeholders. @default none */
  readonly vars?: TemplateVars
  /** Only for a template that contains a poll. */
  readonly poll?: PollConfig
}

/** A {@link UserSend} whose vars are checked by a schema. */
export interface TemplateUserSend<Vars = unknown>
  extends Pick<TemplateSendRequest<Vars>, 'template' | 'templateId'>,
    Pick<TemplateRecipient<Vars>, 'vars'>,
    Pick<UserSend, 'poll'> {}

/** The Messaging API (one client, shared by all requests), and a shortcut to the person who is signed in. */
export interface RequestMessaging extends Messaging {
  /**
   * Sends a message to the person who is signed in.
   * @throws `request_invalid` for an unknown key, `signed_out`, `store_unavailable`, and what `send` throws
   * @example await req.ppoppo.messaging.sendToUser({ templateId, vars: { order: '1234' } })
   */
  sendToUser<Vars>(request: UserSend | TemplateUserSend<Vars>, options?: CallOptions): Promise<SendReceipt>
}

/**
 * `req.ppoppo`: the sign-in of this request. An interface, so that your tests can provide their own.
 *
 * @typeParam Account what `onSignIn` returns @default the one of {@link PpoppoRegister}
 */
export interface RequestPpoppo<Account = RegisteredAccount> {
  /** Whether somebody is signed in. */
  readonly status: SignInStatus
  /** `status === 'signed-in'` */
  readonly isSignedIn: boolean
  /** Who is signed in, checked against the store; `undefined` if nobody is, or if it is not known. */
  readonly user: PpoppoUser | undefined
  /** What `onSignIn` returned for this sign-in, as JSON keeps it; `undefined` if nobody is signed in. */
  readonly account: StoredAccount<Account> | undefined
  /** When this sign-in started, when it expires, and what it may do. */
  readonly signIn: CurrentSignIn | undefined
  /** The Messaging API. Without credentials every call rejects with `messaging_not_configured`. */
  readonly messaging: RequestMessaging
  /**
   * Checks again whether this sign-in still exists. A request that runs for long (a stream, an upload, a report) learns of
   * a sign-out elsewhere this way: `status`, `isSignedIn`, `user` and the rest are updated. `userinfo()`, `accessToken()`,
   * `signIns()` and `endSignIn()` do the same check.
   * @throws `store_unavailable` if it is not known; nothing changes then
   * @example if ((await req.ppoppo.recheck()) === 'signed-out') return res.end()
   */
  recheck(): Promise<'signed-in' | 'signed-out'>
  /**
   * The person's profile from PAS: always live, requested once per request (again if that failed).
   * @throws `signed_out`, `store_unavailable`, `provider_unavailable`, `provider_misconfigured`, `subject_mismatch`
   * @example const { email } = await req.ppoppo.userinfo()
   */
  userinfo(): Promise<UserInfo>
  /**
   * An access token for your own calls, valid for at least some seconds. It is opaque: do not parse it (*Sign-in
   * reference*), and keep it out of pages and logs.
   * @throws the same as {@link userinfo}
   * @example const headers = { authorization: `Bearer ${await req.ppoppo.accessToken()}` }
   */
  accessToken(): Promise<string>
  /**
   * Ends the sign-in of this browser, or with `everywhere` all sign-ins of this person, for good.
   * @throws `store_unavailable`: the person is still signed in. `config_invalid` for an unknown option, before anything
   * happens.
   * @example await req.ppoppo.signOut({ everywhere: true })
   */
  signOut(options?: { readonly everywhere?: boolean }): Promise<void>
  /**
   * The sign-ins of this person, newest first.
   * @throws `signed_out`, `store_unavailable`
   * @example const others = (await req.ppoppo.signIns()).filter(({ current }) => !current)
   */
  signIns(): Promise<readonly SignInSummary[]>
  /**
   * Ends one of this person's sign-ins.
   * @returns `false` if there is none with this id, or if it belongs to somebody else
   * @throws `signed_out`, `store_unavailable`
   * @example await req.ppoppo.endSignIn(req.params.id)
   */
  endSignIn(id: string): Promise<boolean>
}

/** `req.ppoppo` after `auth.isSignedIn(req)`: somebody is signed in. */
export interface SignedInPpoppo<Account = RegisteredAccount> extends RequestPpoppo<Account> {
  readonly status: 'signed-in'
  readonly isSignedIn: true
  readonly user: PpoppoUser
  readonly account: StoredAccount<Account>
  readonly signIn: CurrentSignIn
}
