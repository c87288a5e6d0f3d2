import type { Request } from 'express'
import type { Cluster, Redis } from 'ioredis'
import type { PpoppoEvent } from '../audit-events.js'
import type { PpoppoFetch } from '../lib/http.js'
import type { PageTextOverrides } from '../pages/text-types.js'
import type { AuthorizationParams } from './authorization-params.js'
import type { MessagingConfig, MessagingOptions } from './messaging-options.js'

/** The person who is signed in, as the library knows them without asking PAS. */
export interface PpoppoUser {
  /** ppnum_id, a ULID: the only key to store people under (*Sign-in reference*). */
  readonly sub: string
  /** Ppoppo number, 11 digits or more, as on the wire: `'12312345678'`. */
  readonly ppnum: string
  /** Only for accounts that are not people, e.g. `'ai_agent'`. */
  readonly accountType?: string
}

/** Something in the configuration that should be changed, although it works. */
export interface ConfigWarning {
  readonly code: 'environment_mixed' | 'session_secret_weak' | 'vault_keys_weak'
  /** One line, with the names of options, without values. */
  readonly detail: string
}

/**
 * Options of `ppoppo()`. Some have an environment variable, which is named; the option wins.
 *
 * @typeParam Account what `onSignIn` returns
 */
export interface PpoppoOptions<Account = unknown> {
  /** Login client id (public client, no secret). `PPOPPO_CLIENT_ID`. Required. */
  readonly clientId?: string
  /** Public origin of your app, e.g. `https://app.example`; `http:` only on loopback. `PPOPPO_BASE_URL`. Required. */
  readonly baseUrl?: string
  /** Environment of Ppoppo; selects all hosts. `PPOPPO_ENVIRONMENT`. @default 'production' */
  readonly environment?: 'production' | 'sandbox' | 'local'
  /** URL of PAS, exactly as in its discovery document. `PPOPPO_AUTH_URL`. @default by `environment` */
  readonly issuer?: string
  /** The `iss` of id_tokens, if it differs from `issuer`. @default `issuer` */
  readonly idTokenIssuer?: string
  /** Scopes to request; must include `openid` and `profile`. `PPOPPO_SCOPE`. @default 'openid profile' */
  readonly scope?: string | readonly string[]
  /** RFC 8707 resource, sent byte for byte with every authorization and token request. @default none */
  readonly resource?: string
  /**
   * Name of the site, 1 to 60 characters: shown on the library's pages as a link to its home. @default the host of `baseUrl`
   */
  readonly appName?: string
  /**
   * Additional parameters of the authorization request, by their wire names (`ui_locales`, `acr_values`, `max_age`...), or a
   * function that returns them for one login within 10 seconds. They override those of a link. Parameters that the library
   * sets are rejected. With `max_age`, the `auth_time` of the id_token is verified against it (OIDC Core 3.1.2.1).
   * @default {}
   */
  readonly authorizationParams?:
    | AuthorizationParams
    | ((req: Request) => AuthorizationParams | undefined | Promise<AuthorizationParams | undefined>)
  /** Full public path of the routes, including any outer prefix. @default `basePath` + '/auth' */
  readonly mountPath?: string
  /**
   * Public path of the app, e.g. `/shop`: its home, where sign-out leads, is `<baseUrl><basePath>/`. `/` is the root of the
   * origin. `PPOPPO_BASE_PATH`. @default `mountPath` without its last segment: `/shop` for `/shop/auth`, `/` for `/auth`
   */
  readonly basePath?: string
  /**
   * Prefix that a proxy strips from the path, e.g. `/shop`; `''` for none. `basePath`, or a leading part of it. @default if
   * `basePath` is set, decided for each request: a path outside `basePath` has been stripped of it
   */
  readonly strippedPrefix?: string
  /** An ioredis client or Cluster (it is duplicated and never closed), or a `redis:`/`rediss:` URL. `REDIS_URL`. @default memory */
  readonly redis?: Redis | Cluster | string
  /** Prefix of every Redis key; no braces. @default 'ppoppo:' */
  readonly keyPrefix?: string
  /** Allows a production app without Redis: a single process, and a restart signs everybody out. @default false */
  readonly allowMemoryStore?: boolean
  /** Signs the session cookie; 32 characters or more. In a list, the first signs and all verify. `PPOPPO_SESSION_SECRET`. */
  readonly sessionSecret?: string | readonly string[]
  /** `id:base64` of 32 bytes each; the first encrypts, all decrypt. `PPOPPO_VAULT_KEYS`. Create one: `npx express-ppoppo keygen`. */
  readonly vaultKeys?: string | readonly string[]
  /** The library's session, or `false` to use your app's own. */
  readonly session?: SessionOptions | false
  /** Keys of `req.session` to keep when a visitor signs in (a basket, a language). @default [] */
  readonly keepAnonymous?: readonly string[]
  /** Other origins that `return_to` may point to. @default [] */
  readonly allowedReturnOrigins?: readonly string[]
  /**
   * Other origins whose pages may sign people out (`POST /logout`) and ask who is signed in (`GET /session`), like the app's
   * own pages: `['https://spa.app.example']`. They must be on the same site, since the session cookie is `SameSite=Lax`.
   * @default []
   */
  readonly trustedOrigins?: readonly string[]
  /** Rate limits per client address (IPv6 by /64), or `false` for none. `PPOPPO_RATE_LIMIT=off`. */
  readonly rateLimit?:
    | {
        /** Logins started per minute. @default 120 */
        readonly loginPerMinute?: number
        /** Failed callbacks per minute. @default 30 */
        readonly failuresPerMinute?: number
      }
    | false
  /**
   * Called once per sign-in, before the person is signed in; it must finish within 10 seconds. What it returns (plain JSON
   * data, at most 4,096 characters) becomes `req.ppoppo.account`. `throw denySignIn('reason')` rejects the person with a 403
   * page; any other error leads to a 503 page that offers to try again.
   */
  readonly onSignIn?: (user: PpoppoUser, context: { readonly req: Request }) => Account | Promise<Account>
  /** Called after a sign-out in this browser; it must finish within 10 seconds. Errors are reported to `onEvent` only. */
  readonly onSignOut?: (user: PpoppoUser, context: { readonly req: Request; readonly everywhere: boolean }) => unknown
  /** Receives every security event, never a secret. Without it, warnings go to `process.emitWarning`. */
  readonly onEvent?: (event: PpoppoEvent) => void
  /** Texts of the pages by language; they override the built-in `en` and `ko`. */
  readonly texts?: Readonly<Record<string, PageTextOverrides>>
  /**
   * Makes every HTTP request to PAS, e.g. through a proxy or with your own certificates: Node's `fetch`, undici's with a
   * dispatcher, or a function that responds like them. It must not follow redirects. Also the default of `messaging.fetch`.
   * @default by Node's `http` and `https`, or the global `fetch` if it is not Node's own
   */
  readonly fetch?: PpoppoFetch
  /**
   * The Messaging API: `auth.messaging` and `req.ppoppo.messaging`. `PCS_API_URL`, `PAS_TOKEN_URL`,
   * `PAS_PCS_CLIENT_ID`, `PAS_PCS_CLIENT_SECRET`. @default URLs by `environment`; without id and secret, every call rejects
   */
  readonly messaging?: MessagingOptions
}

/** Options of the library's own session. */
export interface SessionOptions {
  /** A sign-in ends after this time without use, in milliseconds (enforced as 0.75 to 1.0 of it). @default 30 days */
  readonly idleMs?: number
  /** A sign-in ends at this age, in milliseconds, used or not. @default 180 days */
  readonly absoluteMs?: number
  /** Name of the cookie. @default '__Host-ppoppo-<tag>' on https, 'ppoppo-<tag>' on http; the tag is derived from `clientId` */
  readonly cookieName?: string
}

/** A vault key as configured. */
export interface VaultKey {
  readonly id: string
  /** 32 bytes. */
  readonly secret: Buffer
}

/** What `resolveConfig` makes of options and environment: checked, complete, frozen. */
export interface Config {
  readonly clientId: string
  /** Public origin, e.g. `https://app.example`, without a slash at the end. */
  readonly origin: string
  readonly isHttps: boolean
  /** `NODE_ENV=production`, or an origin that is not loopback. */
  readonly isProduction: boolean
  readonly issuer: string
  readonly idTokenIssuer: string
  readonly scope: readonly string[]
  readonly resource?: string
  readonly authorizationParams?: NonNullable<PpoppoOptions['authorizationParams']>
  /** Begins with a slash, does not end with one. */
  readonly mountPath: string
  /** Public path of the app: begins with a slash, does not end with one; `''` is the root of the origin. */
  readonly basePath: string
  /** Prefix that a proxy strips from every path; `'detect'`: from the paths that are not under `basePath`. */
  readonly strippedPrefix: string
  /** `origin + basePath + '/'` */
  readonly homeUrl: string
  /** Name of the site, for people. */
  readonly appName: string
  /** `origin + mountPath + '/callback'` */
  readonly redirectUri: string
  readonly redis?: Redis | Cluster | string
  /** Without `redis`: the evidence that this process is one of several. */
  readonly oneOfSeveral?: string
  readonly keyPrefix: string
  /** Absent in development if none is set: then created once and shared through the store. */
  readonly sessionSecrets?: readonly string[]
  /** Absent in development if none is set: then created once and shared through the store. */
  readonly vaultKeys?: readonly VaultKey[]
  /** Whether the library provides the session. */
  readonly ownSession: boolean
  readonly idleMs: number
  readonly absoluteMs: number
  /** As configured; the default is derived from `clientId`, so that two instances differ. */
  readonly cookieName?: string
  readonly keepAnonymous: readonly string[]
  /** Own origin not included. */
  readonly allowedReturnOrigins: readonly string[]
  /** Own origin not included. */
  readonly trustedOrigins: readonly string[]
  readonly rateLimit: { readonly loginPerMinute: number; readonly failuresPerMinute: number } | false
  readonly onSignIn?: NonNullable<PpoppoOptions['onSignIn']>
  readonly onSignOut?: NonNullable<PpoppoOptions['onSignOut']>
  readonly onEvent?: NonNullable<PpoppoOptions['onEvent']>
  readonly texts: Readonly<Record<string, PageTextOverrides>>
  /** If absent, the one of the runtime. */
  readonly fetch?: PpoppoFetch
  readonly messaging: MessagingConfig
  /** Warnings to report at startup. */
  readonly warnings: readonly ConfigWarning[]
}
