import type { NextFunction, Request, RequestHandler, Response } from 'express'
import { createEventSink, type PpoppoEventDetail, type RaiseEvent } from './audit-events.js'
import { createButton, type SignInButtonOptions } from './button/button.js'
import { resolveConfig } from './config/config.js'
import { keyPrefixOf } from './config/key-prefix.js'
import type { MessagingOptions } from './config/messaging-options.js'
import type { Config, PpoppoOptions } from './config/options.js'
import { PpoppoError } from './errors.js'
import { inOrder, type PlainHandler } from './http/in-order.js'
import { createRequestAddress } from './http/request-address.js'
import { rememberInstance } from './instances.js'
import { type Runtime, systemRuntime } from './lib/runtime.js'
import { createReturnTo } from './login-link/return-to.js'
import { createMessagingClient } from './messaging/messaging.js'
import type { Messaging } from './messaging/types/methods.js'
import { createPages } from './pages/pages.js'
import { createProvider } from './provider/provider.js'
import { createReadyChecks } from './ready/checks.js'
import { createReady, type ReadyOptions } from './ready/ready.js'
import { createLandedCookie } from './session/landed-cookie.js'
import { personIn, pointerKey as pointerKeyOf, readPointer } from './session/pointer.js'
import { createOwnSession } from './session/session.js'
import { createTransactions } from './session/transactions.js'
import { createGuard, type RequireSignInOptions } from './sign-in/guard.js'
import { createMiddleware } from './sign-in/middleware.js'
import { createRateLimit } from './sign-in/rate-limit.js'
import type { RouteParts } from './sign-in/route-parts.js'
import { createRoutes } from './sign-in/routes.js'
import { createMemoryStore } from './store/memory/memory-store.js'
import { evictionWarning, persistenceWarning, type RedisPolicy } from './store/redis/policy.js'
import { createRedisStore } from './store/redis/redis-store.js'
import { createFreshness } from './user/freshness.js'
import { createRefresher } from './user/refresh.js'
import { createSignOut, type SignOut } from './user/sign-out.js'
import { createSignOutAtPas } from './user/sign-out-at-pas.js'
import { createUserCalls } from './user/user-calls.js'
import { createSecrets } from './vault/secrets.js'
import { createVault } from './vault/vault.js'

/** Sign in with Ppoppo: a middleware that runs the three parts below in their order. */
export interface Ppoppo extends RequestHandler {
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
   * gets 401 `application/problem+json`. While the store is down, everybody gets 503.
   * @throws `config_invalid` for an unknown or wrong option
   */
  requireSignIn(options?: RequireSignInOptions): RequestHandler
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
  /** Closes everything it opened (not a Redis client that was passed in). Later requests get an error. Idempotent. */
  close(): Promise<void>
}

/** {@link PpoppoOptions}, with options of the Messaging client, or with an existing client. */
export interface PpoppoSetup extends Omit<PpoppoOptions, 'messaging'> {
  /**
   * Options of the Messaging API client, or a client that you have created with `createMessaging()`, or the test double of
   * `express-ppoppo/testing`. Such a client is used as it is, and `auth.close()` does not close it.
   */
  readonly messaging?: MessagingOptions | Messaging
}

/**
 * Creates "Sign in with Ppoppo" for an Express app.
 *
 * @param options some may come from the environment instead; see the table in the README
 * @throws `config_invalid` with all faults at once
 *
 * @example
 * const auth = ppoppo()
 * app.use(auth)
 * app.get('/me', auth.requireSignIn(), async (req, res) => res.json(await req.ppoppo.userinfo()))
 */
export function ppoppo(options: PpoppoSetup = {}): Ppoppo {
  const { messaging, ...others } = Object(options) as PpoppoSetup
  if (isClient(messaging)) return createPpoppo(resolveConfig(others, process.env), systemRuntime, messaging)
  return createPpoppo(resolveConfig(options as PpoppoOptions, process.env), systemRuntime)
}

function isClient(value: PpoppoSetup['messaging']): value is Messaging {
  return typeof Reflect.get(Object(value), 'sendMany') === 'function'
}

/**
 * @internal As {@link ppoppo}, from a checked configuration and with a given clock, fetch and random source.
 * @param client a Messaging client of the app's own, which is not closed here
 */
export function createPpoppo(config: Config, runtime: Runtime, client?: Messaging): Ppoppo {
  const raise = createEventSink(config.onEvent, runtime)
  for (const warning of config.warnings) raise({ type: 'warning', code: 'config', detail: warning })

  if (config.oneOfSeveral !== undefined) raise(memoryWarning(config.oneOfSeveral))

  const closing = new AbortController()
  const pointerKey = pointerKeyOf(config.clientId)

  const store = config.redis
    ? createRedisStore({
        redis: config.redis,
        prefix: keyPrefixOf(config),
        onPolicy: (policy) => warnOfPolicy(policy, config, raise),
      })
    : createMemoryStore({ now: runtime.now, personIn })
  const secrets = createSecrets({ config, store, runtime, raise })
  const { keyRing, sessionSecrets } = secrets
  const address = createRequestAddress(config)
  const isPassive = (req: Request): boolean => address.routeOf(req) === '/session'

  const vault = createVault({ config, store, keyRing, runtime, raise })
  const provider = createProvider({ config, runtime, closed: closing.signal, raise })
  const refresher = createRefresher({ vault, store, provider, runtime, raise })
  const freshness = createFreshness({ config, vault, refresher, runtime })
  const userCalls = createUserCalls({ provider, vault, refresher, freshness, runtime })
  const ownSession = createOwnSession({
    config,
    secrets: sessionSecrets,
    commands: store.sessions,
    runtime,
    raise,
    onDestroyed: async (session) => {
      const pointer = readPointer(session, pointerKey)
      if (pointer) await signOut.endWithSession(pointer.signInId)
    },
    isPassive,
  })
  const landed = createLandedCookie({ config, runtime })
  const signOutAtPas = createSignOutAtPas({ provider, raise })
  const signOut: SignOut = createSignOut({
    config,
    vault,
    atPas: signOutAtPas,
    ownSession,
    landed,
    pointerKey,
    raise,
  })
  const messaging =
    client ??
    createMessagingClient({
      config: config.messaging,
      warn: (detail) => raise({ type: 'warning', code: 'consumer', detail }),
    })
  const requestParts = { messaging, idleMs: config.idleMs, vault, userCalls, signOut }

  const routeParts: RouteParts = {
    config,
    runtime,
    raise,
    address,
    pages: createPages(config),
    rateLimit: createRateLimit({ config, store, raise }),
    provider,
    transactions: createTransactions({ config, store, keyRing, runtime }),
    vault,
    signOutAtPas,
    ownSession,
    landed,
    pointerKey,
    toReturnTo: createReturnTo({ config, toPublicPath: address.toPublicPath }),
  }
  const button = createButton(config)
  const { front, rest } = createRoutes({ ...routeParts, button })
  const session = config.ownSession ? ownSession.middleware : appSession
  const middleware = createMiddleware({
    ownSession,
    landed,
    pointerKey,
    vault,
    freshness,
    requestParts,
    raise,
    isPassive,
  })

  const refuseWhenClosed: RequestHandler = (_req, _res, next) =>
    next(
      closing.signal.aborted
        ? new PpoppoError('closed', 'auth.close() was called; this instance no longer answers.')
        : undefined,
    )

  const parts = {
    session: inOrder('ppoppoSession', [refuseWhenClosed, session]),
    middleware: inOrder('ppoppoMiddleware', [refuseWhenClosed, middleware]),
    router: inOrder('ppoppoRouter', [refuseWhenClosed, front, rest]),
  }
  const auth = inOrder('ppoppo', [refuseWhenClosed, front, session, middleware, rest])
  rememberInstance([auth, ...Object.values(parts)], { config, vault, pointerKey, session: parts.session })
  return Object.assign(auth, parts, {
    requireSignIn: createGuard(routeParts),
    signInButton: button.html,
    messaging,
    ready: createReady({
      checks: createReadyChecks({ config, runtime, raise, store, secrets, provider, messaging }),
      closed: closing.signal,
    }),
    async close() {
      closing.abort()
      if (!client) await messaging.close()
      await store.close()
    },
  })
}

function memoryWarning(why: string): PpoppoEventDetail {
  const detail = `Sign-ins are kept in the memory of this process, and ${why}. Processes do not share memory: people are asked to start again, and are signed out at random. Set REDIS_URL (or the option "redis"), or run one process.`
  return { type: 'warning', code: 'memory_store', detail }
}

/** In development, a Redis without persistence is no reason for a warning. */
function warnOfPolicy(policy: RedisPolicy, { isProduction }: Config, raise: RaiseEvent): void {
  const warnings = [evictionWarning(policy, 'sign-ins'), isProduction ? persistenceWarning(policy) : undefined]
  for (const detail of warnings) if (detail !== undefined) raise({ type: 'warning', code: 'redis', detail })
}

/** With `session: false`, the app's own session comes before this. If it does not, the middleware reports it. */
function appSession(_req: Request, _res: Response, next: NextFunction): void {
  next()
}
