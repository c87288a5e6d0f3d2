import type { RequestHandler } from 'express'
import type { PpoppoUser } from '../config/options.js'
import type { PpoppoError } from '../errors.js'
import type { CurrentSignIn, RegisteredAccount, StoredAccount } from '../request-types.js'

/** Options of `auth.fromUpgrade()`. */
export interface UpgradeOptions {
  /**
   * Origins whose pages may open a socket, besides that of `baseUrl`: `['https://spa.example.com']`.
   * @default trustedOrigins
   */
  readonly origins?: readonly string[]
  /** With `session: false`: the session middleware of your app. Not needed where it has already run. */
  readonly session?: RequestHandler
}

/**
 * Who opens a socket.
 *
 * @typeParam Account what `onSignIn` returns
 */
export type SocketVisitor<Account = RegisteredAccount> = SignedInVisitor<Account> | RefusedVisitor

/**
 * Somebody who is signed in.
 *
 * @typeParam Account what `onSignIn` returns
 */
export interface SignedInVisitor<Account = RegisteredAccount> extends Refusable {
  /** Always `signed-in`. */
  readonly status: 'signed-in'
  /** Always true. */
  readonly isSignedIn: true
  /** Who it is. */
  readonly user: PpoppoUser
  /** What `onSignIn` returned for this sign-in, as `req.ppoppo.account` is. */
  readonly account: StoredAccount<Account>
  /** The sign-in. `expiresAt` may move while the person uses the app: rely on {@link onEnded}. */
  readonly signIn: CurrentSignIn
  /** Always missing. */
  readonly error?: undefined
  /**
   * Calls `callback` once, at most about a second after the sign-in has ended: by a sign-out here, everywhere, in another
   * process, or by expiry. A store that is down ends nothing, and neither does `auth.close()`. What the callback throws
   * is reported as an event and ends nothing.
   * @returns a function that stops watching; call it when the socket closes
   * @example socket.once('close', visitor.onEnded(() => socket.close(4401, 'signed out')))
   */
  onEnded(callback: () => unknown): () => void
}

/** Somebody who is not signed in, or whose sign-in must not be used here. */
export interface RefusedVisitor extends Refusable {
  /**
   * `cross-site`: a page of another site opened the socket, with the cookies of your visitor. `unavailable`: the store
   * does not respond, so it is not known who is signed in.
   */
  readonly status: 'signed-out' | 'cross-site' | 'unavailable'
  /** Always false. */
  readonly isSignedIn: false
  /** Always missing. */
  readonly user?: undefined
  /** Always missing. */
  readonly account?: undefined
  /** Always missing. */
  readonly signIn?: undefined
  /** Why: `signed_out` (401), `cross_site` (403), `store_unavailable` or `closed` (503). */
  readonly error: PpoppoError
}

interface Refusable {
  /**
   * Answers the upgrade with the status of `error` (403 for somebody who is signed in) and closes the connection. For
   * `server.on('upgrade')`; libraries that answer themselves take `error` instead.
   */
  refuse(): void
}
