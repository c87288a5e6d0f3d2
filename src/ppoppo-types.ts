import type { IncomingMessage } from 'node:http'
import type { ErrorRequestHandler, RequestHandler } from 'express'
import type { SignInButtonOptions } from './button/button.js'
import type { MessagingOptions } from './config/messaging-options.js'
import type { PpoppoOptions } from './config/options.js'
import type { DiagnoseOptions, Diagnosis } from './doctor/types.js'
import type { PlainHandler } from './http/in-order.js'
import type { Messaging } from './messaging/types/methods.js'
import type { Health } from './observability/health.js'
import type { ReadyOptions } from './ready/ready.js'
import type { RegisteredAccount, SignedInPpoppo } from './request-types.js'
import type { ErrorHandlerOptions } from './sign-in/error-handler.js'
import type { RequireSignInOptions } from './sign-in/guard-options.js'
import type { SocketVisitor, UpgradeOptions } from './sockets/types.js'

/**
 * Sign in with Ppoppo: a middleware that runs the three parts below in their order.
 *
 * @typeParam Account what `onSignIn` returns
 */
export interface Ppoppo<Account = RegisteredAccount> extends RequestHandler {
  /**
   * The session. With `session: false`, or if `req.session` is already set, the app's own is used. Also works on an
   * upgrade.
   */
  readonly session: PlainHandler
  /** Sets `req.ppoppo`. Needs a session. Also works on an upgrade. */
  readonly middleware: PlainHandler
  /** The routes under `mountPath`. Needs `req.ppoppo`. */
  readonly router: RequestHandler
  /**
   * Guards what comes after it: signed-in people pass, a browser is redirected to the sign-in and back, and any other client
   * gets 401 `application/problem+json`. While the store is down, everybody gets 503. The options ask for more: a recent
   * sign-in, scopes, or what the app decides itself (403).
   * @throws `config_invalid` for an unknown or wrong option
   */
  requireSignIn(options?: RequireSignInOptions): RequestHandler
  /**
   * Protects your own forms against cross-site requests: lets GET, HEAD and OPTIONS pass, and everything else only if it comes
   * from the site's own pages, from one of `trustedOrigins`, or from no browser. Otherwise 403.
   *
   * @throws `config_invalid` without parentheses
   * @example app.use(auth, auth.requireSameOrigin())
   */
  requireSameOrigin(): RequestHandler
  /**
   * Answers errors, after all routes: a `PpoppoError` with its `status`, and bad requests of Express and its parsers; a page for
   * people, `application/problem+json` for programs, with `Retry-After` and `WWW-Authenticate`. Other errors, and mistakes in
   * the app (`config_invalid`), go to `next(error)`, unless you pass `report`.
   *
   * @throws `config_invalid` for an unknown or wrong option
   * @example app.use(auth.errorHandler({ report: (error) => console.error(error) }))
   */
  errorHandler(options?: ErrorHandlerOptions): ErrorRequestHandler
  /**
   * Whether somebody is signed in: `req.ppoppo.isSignedIn`, from which TypeScript also learns that `user`, `signIn` and
   * `account`, as `onSignIn` returned it, are there. `false` where `auth` did not run.
   *
   * @example if (auth.isSignedIn(req)) res.send(`Hello ${req.ppoppo.account.name}`)
   */
  readonly isSignedIn: <Req extends { readonly ppoppo: unknown }>(
    req: Req,
  ) => req is Req & { readonly ppoppo: SignedInPpoppo<Account> }
  /** The sign-in button as HTML: a link, styled by `<mountPath>/button.css`. */
  signInButton(options?: SignInButtonOptions): string
  /** The Messaging API; `req.ppoppo.messaging` is the same. Loads gRPC at the first call. */
  readonly messaging: Messaging
  /**
   * For startup, before `listen`: resolves once the store responds and allows what is needed, and PAS's discovery document
   * and keys have been read; with `messaging` configured, also a token and a connection to PCS. What may be temporary
   * (connection refused, unknown name, loading, 5xx) is retried until the time is up. May be called at any time, repeatedly.
   * @throws one error that names everything that is wrong, where, and what to do: `store_unavailable`, `provider_unavailable`,
   * `provider_misconfigured`, `provider_response_invalid`, or a messaging code; `config_invalid` for an unknown or wrong option;
   * `closed` after `close()`; the signal's reason after an abort. It closes nothing: to stop, call `close()` or exit
   */
  ready(options?: ReadyOptions): Promise<void>
  /**
   * Checks configuration, packages, Redis, PAS, the registration of the callback, and the Messaging API, and says of each
   * fault what to do: what `npx express-ppoppo doctor` prints. Takes at most about four times `timeoutMs`, and opens connections of its own.
   * @throws `config_invalid` for an unknown or wrong option
   *
   * @example console.table((await auth.diagnose()).findings)
   */
  diagnose(options?: DiagnoseOptions): Promise<Diagnosis>
  /**
   * Who opens a socket: an upgrade request of `ws`, the handshake of socket.io. Reads the sign-in, changes nothing, and
   * does not extend it. A page of another site, a visitor and a store that is down are results, not errors.
   * @typeParam Stored what `onSignIn` returns, as `auth` knows it
   * @throws `config_invalid`, `session_missing`: mistakes in the call
   */
  // A parameter of its own lets a Ppoppo with an account be used where any Ppoppo is taken.
  fromUpgrade<Stored = Account>(req: IncomingMessage, options?: UpgradeOptions): Promise<SocketVisitor<Stored>>
  /**
   * What is known about the store, PAS and PCS from the last real calls to them; asks nobody, so it may be called as often as
   * you like. For a check that asks, use {@link ready}.
   *
   * @example app.get('/readyz', async (_req, res) => res.status((await auth.health()).store.status === 'down' ? 503 : 200).end())
   */
  health(): Promise<Health>
  /** Closes everything it opened (not a Redis client that was passed in). Later requests get an error. Idempotent. */
  close(): Promise<void>
}

/** {@link PpoppoOptions}, with options of the Messaging client, or with an existing client. */
export interface PpoppoSetup<Account = unknown> extends Omit<PpoppoOptions<Account>, 'messaging'> {
  /**
   * Options of the Messaging API client, or a client that you have created with `createMessaging()`, or the test double of
   * `express-ppoppo/testing`. Such a client is used as it is, and `auth.close()` does not close it.
   */
  readonly messaging?: MessagingOptions | Messaging
}
