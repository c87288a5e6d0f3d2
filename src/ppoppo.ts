import type { NextFunction, Request, RequestHandler, Response } from 'express'
import { createEventSink, type PpoppoEventDetail, type RaiseEvent } from './audit-events.js'
import { createButton } from './button/button.js'
import { assertIsNoRequest } from './config/call-options.js'
import { resolveConfig } from './config/config.js'
import { keyPrefixOf } from './config/key-prefix.js'
import type { Config, PpoppoOptions } from './config/options.js'
import { createDiagnose } from './doctor/create-diagnose.js'
import { PpoppoError } from './errors.js'
import { cheapProperties } from './http/cheap-properties.js'
import { inOrder } from './http/in-order.js'
import { createRequestAddress } from './http/request-address.js'
import { rememberInstance } from './instances.js'
import { type Runtime, systemRuntime } from './lib/runtime.js'
import { createReturnTo } from './login-link/return-to.js'
import { createMessagingClient } from './messaging/messaging.js'
import type { Messaging } from './messaging/types/methods.js'
import { createHealthBook } from './observability/health.js'
import { createPages } from './pages/pages.js'
import type { Ppoppo, PpoppoSetup } from './ppoppo-types.js'
import { createProvider } from './provider/provider.js'
import { createReadyChecks } from './ready/checks.js'
import { createReady } from './ready/ready.js'
import type { RegisteredAccount } from './request-types.js'
import { createLandedCookie } from './session/landed-cookie.js'
import { personIn, pointerKey as pointerKeyOf, readPointer } from './session/pointer.js'
import { createOwnSession } from './session/session.js'
import { createTransactions } from './session/transactions.js'
import { createErrorHandlers } from './sign-in/error-handler.js'
import { createGuard } from './sign-in/guard.js'
import { createMiddlewareCheck, createSessionCheck } from './sign-in/login-check.js'
import { createMiddleware } from './sign-in/middleware.js'
import { createRateLimit } from './sign-in/rate-limit.js'
import type { RouteParts } from './sign-in/route-parts.js'
import { createRoutes } from './sign-in/routes.js'
import { createSameOrigin } from './sign-in/same-origin.js'
import { createFromUpgrade } from './sockets/from-upgrade.js'
import { createMemoryStore } from './store/memory/memory-store.js'
import { evictionWarning, persistenceWarning, type RedisPolicy } from './store/redis/policy.js'
import { createRedisStore } from './store/redis/redis-store.js'
import { traceStore } from './store/traced-store.js'
import { createFreshness } from './user/freshness.js'
import { createRefresher } from './user/refresh.js'
import { createSignOut, type SignOut } from './user/sign-out.js'
import { createSignOutAtPas } from './user/sign-out-at-pas.js'
import { createUserCalls } from './user/user-calls.js'
import { createSecrets } from './vault/secrets.js'
import { createVault } from './vault/vault.js'

/**
 * Creates "Sign in with Ppoppo" for an Express app.
 *
 * @typeParam Account what `onSignIn` returns; inferred from it
 * @param options some may come from the environment instead; see the table in the README
 * @throws `config_invalid` with all faults at once
 *
 * @example
 * const auth = ppoppo()
 * app.use(auth)
 * app.get('/me', auth.requireSignIn(), async (req, res) => res.json(await req.ppoppo.userinfo()))
 */
export function ppoppo<Account extends RegisteredAccount = RegisteredAccount>(
  options: PpoppoSetup<Account> = {},
): Ppoppo<Account> {
  assertIsNoRequest(options, 'ppoppo', 'app.use(ppoppo())')
  const { messaging, ...others } = Object(options) as PpoppoSetup<Account>
  if (isClient(messaging))
    return createPpoppo({ config: resolveConfig(others, process.env), runtime: systemRuntime, client: messaging })
  return createPpoppo({ config: resolveConfig(options as PpoppoOptions, process.env), runtime: systemRuntime })
}

function isClient(value: PpoppoSetup['messaging']): value is Messaging {
  return typeof Reflect.get(Object(value), 'sendMany') === 'function'
}

/** @internal What {@link createPpoppo} is made of. */
export interface InstanceParts {
  readonly config: Config
  /** Clock, fetch and random source. */
  readonly runtime: Runtime
  /** A Messaging client of the app's own, which is not closed here. */
  readonly client?: Messaging
}

/** @internal As {@link ppoppo}, from a checked configuration and with a given clock, fetch and random source. */
export function createPpoppo<Account>({ config, runtime, client }: InstanceParts): Ppoppo<Account> {
  const health = createHealthBook()
  const raise = health.watchEvents(createEventSink({ onEvent: config.onEvent, runtime }))
  for (const { detail } of config.warnings) raise({ type: 'warning', code: 'config', detail })

  if (config.oneOfSeveral !== undefined) raise(memoryWarning(config.oneOfSeveral))

  const closing = new AbortController()
  const pointerKey = pointerKeyOf(config.clientId)

  const openedStore = config.redis
    ? createRedisStore({
        redis: config.redis,
        prefix: keyPrefixOf(config),
        onPolicy: (policy) => warnOfPolicy(policy, config, raise),
      })
    : createMemoryStore({ now: runtime.now, personIn })
  const store = traceStore(openedStore, health.store)
  const secrets = createSecrets({ config, store, runtime, raise })
  const { keyRing, sessionSecrets } = secrets
  const address = createRequestAddress(config)
  const isPassive = (req: Request): boolean => address.routeOf(req) === '/session'

  const vault = createVault({ config, store, keyRing, runtime, raise })
  const provider = createProvider({
    config: { ...config, fetch: health.watchProvider(config.fetch ?? runtime.fetch) },
    runtime,
    closed: closing.signal,
    raise,
  })
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
    pointerKey,
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
      onCall: health.noteMessaging,
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
  // A login is refused where the app's own session is missing.
  const before = config.ownSession ? [] : [createSessionCheck(routeParts)]
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
    session: inOrder('ppoppoSession', [refuseWhenClosed, cheapProperties, session]),
    middleware: inOrder('ppoppoMiddleware', [refuseWhenClosed, middleware]),
    router: inOrder('ppoppoRouter', [refuseWhenClosed, createMiddlewareCheck(routeParts), front, rest]),
  }
  const auth = inOrder('ppoppo', [refuseWhenClosed, cheapProperties, ...before, front, session, middleware, rest])
  rememberInstance([auth, ...Object.values(parts)], { config, vault, pointerKey, session: parts.session })
  return Object.assign(auth, parts, {
    requireSignIn: createGuard(routeParts),
    requireSameOrigin: createSameOrigin(routeParts),
    errorHandler: createErrorHandlers(routeParts),
    isSignedIn: ((req) => isSignedIn(req.ppoppo)) as Ppoppo<Account>['isSignedIn'],
    signInButton: button.html,
    messaging,
    ready: createReady({
      checks: createReadyChecks({ config, runtime, raise, store, secrets, provider, messaging }),
      closed: closing.signal,
    }),
    health: health.report,
    diagnose: createDiagnose({ config, runtime, env: process.env, hasOwnMessaging: client !== undefined }),
    fromUpgrade: createFromUpgrade({ config, ownSession, pointerKey, vault, raise, closed: closing.signal }),
    async close() {
      closing.abort()
      if (!client) await messaging.close()
      await store.close()
    },
  })
}

/** Where `auth` did not run, nobody is. */
function isSignedIn(ppoppo: unknown): boolean {
  return Reflect.get(Object(ppoppo), 'isSignedIn') === true
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
