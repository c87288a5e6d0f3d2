import type { Request } from 'express'
import type { Cluster, Redis } from 'ioredis'
import type { PpoppoEvent } from '../audit-events.js'
import type { PpoppoFetch } from '../lib/http.js'
import type { PageTextOverrides } from '../pages/texts.js'
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

/** Options of `ppoppo()`. Each has an environment variable where one is named; the option wins. */
export interface PpoppoOptions {
  /** Login client id (public client, no secret). `PPOPPO_CLIENT_ID`. Required. */
  readonly clientId?: string
  /** Public origin of your app, e.g. `https://app.example`. `http:` only on loopback. `PPOPPO_BASE_URL`. Required. */
  readonly baseUrl?: string
  /** Which Ppoppo: sets all hosts together. `PPOPPO_ENVIRONMENT`. @default 'production' */
  readonly environment?: 'production' | 'sandbox' | 'local'
  /** PAS, exactly as its discovery document spells it. `PPOPPO_AUTH_URL`. @default by `environment` */
  readonly issuer?: string
  /** The `iss` of id_tokens, where it is spelt otherwise than `issuer`. @default `issuer` */
  readonly idTokenIssuer?: string
  /** Scopes to ask for; must hold `openid` and `profile`. `PPOPPO_SCOPE`. @default 'openid profile' */
  readonly scope?: string | readonly string[]
  /** RFC 8707 resource, sent byte for byte on every leg. */
  readonly resource?: string
  /**
   * What the site is called, 1 to 60 characters: on the library's pages, as a link to its home. @default the host of `baseUrl`
   */
  readonly appName?: string
  /**
   * Further parameters of the authorization request, by their names on the wire (`ui_locales`, `acr_values`, `max_age`...), or a
   * function that gives those of one login, with 10 seconds to answer. They win over what a link wishes. What the library
   * sets itself is refused. With `max_age` the id_token must prove by `auth_time` that it was kept (OIDC Core 3.1.2.1).
   * @default {}
   */
  readonly authorizationParams?:
    | AuthorizationParams
    | ((req: Request) => AuthorizationParams | undefined | Promise<AuthorizationParams | undefined>)
  /** Full public path of the routes, any outer prefix included. @default `basePath` + '/auth' */
  readonly mountPath?: string
  /**
   * Public path of the app, e.g. `/shop`: its home, where sign-out leads, is `<baseUrl><basePath>/`. `/` is the root of the
   * origin. `PPOPPO_BASE_PATH`. @default `mountPath` without its last segment: `/shop` for `/shop/auth`, `/` for `/auth`
   */
  readonly basePath?: string
  /**
   * What a proxy takes off the path before a request arrives, e.g. `/shop`; `''` for nothing. `basePath`, or a part of it
   * from its beginning. @default with `basePath` set, decided by request: a path outside of `basePath` was stripped of it
   */
  readonly strippedPrefix?: string
  /** An ioredis client or Cluster (it is duplicated, and never closed), or a `redis:`/`rediss:` URL. `REDIS_URL`. */
  readonly redis?: Redis | Cluster | string
  /** Prefix of every Redis key; no braces. @default 'ppoppo:' */
  readonly keyPrefix?: string
  /** Lets a production app run without Redis: one process, and a restart signs everybody out. @default false */
  readonly allowMemoryStore?: boolean
  /** Signs the session cookie, 32 characters or more; of a list the first signs, all verify. `PPOPPO_SESSION_SECRET`. */
  readonly sessionSecret?: string | readonly string[]
  /** `id:base64` of 32 bytes each; the first seals, all open. `PPOPPO_VAULT_KEYS`. Make one: `npx express-ppoppo keygen`. */
  readonly vaultKeys?: string | readonly string[]
  /** The library's session, or `false` to use the one your app has. */
  readonly session?: SessionOptions | false
  /** Keys of `req.session` that live on when a visitor signs in (a basket, a language). @default [] */
  readonly keepAnonymous?: readonly string[]
  /** Other origins that `return_to` may lead to. @default [] */
  readonly allowedReturnOrigins?: readonly string[]
  /**
   * Other origins whose pages may sign people out (`POST /logout`) and ask who is signed in (`GET /session`), as the app's
   * own do: `['https://spa.app.example']`. They must be of the same site, since the session cookie is `SameSite=Lax`.
   * @default []
   */
  readonly trustedOrigins?: readonly string[]
  /** Limits per client address (IPv6 by /64), or `false` for none. `PPOPPO_RATE_LIMIT=off`. */
  readonly rateLimit?:
    | {
        /** Logins started per minute. @default 120 */
        readonly loginPerMinute?: number
        /** Failed callbacks per minute. @default 30 */
        readonly failuresPerMinute?: number
      }
    | false
  /**
   * Called once per sign-in, before the person is signed in, with 10 seconds to answer. What it returns (plain JSON
   * data) becomes `req.ppoppo.account`. `throw denySignIn('reason')` refuses the person with a 403 page; any other
   * error is a 503 page that offers to try again.
   */
  readonly onSignIn?: (user: PpoppoUser, context: { readonly req: Request }) => unknown
  /** Called after a sign-in of this browser ended by sign-out. Errors are reported to `onEvent` and change nothing. */
  readonly onSignOut?: (user: PpoppoUser, context: { readonly req: Request; readonly everywhere: boolean }) => unknown
  /** Hears of every security event. Never given a secret. Without it, warnings go to `process.emitWarning`. */
  readonly onEvent?: (event: PpoppoEvent) => void
  /** Texts of the pages by language, over the built-in `en` and `ko`. */
  readonly texts?: Readonly<Record<string, PageTextOverrides>>
  /**
   * Makes every HTTP request to PAS, for a proxy or certificates of your own: Node's `fetch`, undici's with a dispatcher, or
   * what answers like them. It must not follow redirects. `messaging.fetch` too, unless that is given. @default Node's `fetch`
   */
  readonly fetch?: PpoppoFetch
  /**
   * The Messaging API: `auth.messaging` and `req.ppoppo.messaging`. `PCS_API_URL`, `PAS_TOKEN_URL`,
   * `PAS_PCS_CLIENT_ID`, `PAS_PCS_CLIENT_SECRET`. @default URLs by `environment`; without id and secret every call rejects
   */
  readonly messaging?: MessagingOptions
}

/** The library's own session. */
export interface SessionOptions {
  /** A sign-in ends after this long without use, in milliseconds; enforced as 0.75..1.0 of it. @default 30 days */
  readonly idleMs?: number
  /** A sign-in ends this long after it began, in milliseconds, used or not. @default 180 days */
  readonly absoluteMs?: number
  /** The cookie's name. @default '__Host-ppoppo-<tag>' on https, 'ppoppo-<tag>' on http; the tag is made of `clientId` */
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
  /** What a proxy takes off every path, as `basePath`; `'detect'`: off those that do not lie under `basePath`. */
  readonly strippedPrefix: string
  /** `origin + basePath + '/'` */
  readonly homeUrl: string
  /** Of the site, as people read it. */
  readonly appName: string
  /** `origin + mountPath + '/callback'` */
  readonly redirectUri: string
  readonly redis?: Redis | Cluster | string
  /** Without `redis`: how it is known that this process is one of several. */
  readonly oneOfSeveral?: string
  readonly keyPrefix: string
  /** Absent in development where none is set: made once, and shared through the store. */
  readonly sessionSecrets?: readonly string[]
  /** Absent in development where none is set: made once, and shared through the store. */
  readonly vaultKeys?: readonly VaultKey[]
  /** Whether the library brings the session. */
  readonly ownSession: boolean
  readonly idleMs: number
  readonly absoluteMs: number
  /** As configured; the default is chosen where the instance is made, since two instances must differ. */
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
  /** Absent: the runtime's. */
  readonly fetch?: PpoppoFetch
  readonly messaging: MessagingConfig
  /** Things that are allowed and worth a word at start. */
  readonly warnings: readonly string[]
}
