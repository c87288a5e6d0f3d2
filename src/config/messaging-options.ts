import type { Cluster, Redis } from 'ioredis'
import type { PpoppoFetch } from '../lib/http.js'

/** Options of `createMessaging()`. Some have an environment variable, which is named; the option wins. */
export interface MessagingOptions {
  /** URL of the API, e.g. `https://api.ppoppo.com/ext`; its path prefixes every gRPC path. `PCS_API_URL`. @default by `environment` */
  readonly apiUrl?: string
  /** Full URL of the token endpoint. `PAS_TOKEN_URL`. @default by `environment` */
  readonly tokenUrl?: string
  /** Id of the External API client (not the login client). `PAS_PCS_CLIENT_ID`. */
  readonly clientId?: string
  /** Its secret. Only one of id and secret is a startup error; without both, every call rejects. `PAS_PCS_CLIENT_SECRET`. */
  readonly clientSecret?: string
  /** Selects the default URLs. `PPOPPO_ENVIRONMENT`. @default 'production' */
  readonly environment?: 'production' | 'sandbox' | 'local'
  /**
   * The vendor's definition of the API: a `.proto` file, a folder of them, a descriptor set, or a list of these. Each is a
   * path; a descriptor set may also be bytes. @default the definition in this package
   */
  readonly descriptor?: string | Uint8Array | readonly (string | Uint8Array)[]
  /** HTTP/2 pings on an idle connection, to detect that it is dead. */
  readonly keepalive?: {
    /** Idle time before a ping, in milliseconds. @default 60,000 */
    readonly timeMs?: number
    /** How long to wait for the response to a ping, in milliseconds. @default 20,000 */
    readonly timeoutMs?: number
  }
  /** Default deadline of a call, in milliseconds. @default 20,000 */
  readonly deadlineMs?: number
  /** Maximum attempts of a call that may be retried, including the first. @default 4 */
  readonly maxAttempts?: number
  /**
   * Makes the token request, e.g. through a proxy or with your own certificates: Node's `fetch`, undici's with a dispatcher,
   * or a function that responds like them. It must not follow redirects.
   * @default by Node's `http` and `https`, or the global `fetch` if it is not Node's own; in `ppoppo()` its `fetch`
   */
  readonly fetch?: PpoppoFetch
  /**
   * Channel options of grpc-js, which override ours: `{ 'grpc.enable_http_proxy': 0 }` ignores the proxy in `grpc_proxy`.
   * Options about retries are not accepted. @default none
   */
  readonly grpcChannelOptions?: Readonly<Record<string, string | number>>
  /**
   * Where `consume()` keeps its position: an ioredis client or Cluster (it is duplicated and never closed), or a
   * `redis:`/`rediss:` URL. `REDIS_URL`. @default none: in memory, for one process; in `ppoppo()` its Redis
   */
  readonly redis?: Redis | Cluster | string
  /** Prefix of all Redis keys. @default 'ppoppo:'; in `ppoppo()` its prefix */
  readonly keyPrefix?: string
}

/** What `resolveMessagingConfig` makes of options and environment. */
export interface MessagingConfig {
  readonly apiUrl: string
  readonly tokenUrl: string
  /** If absent, every call rejects with `messaging_not_configured`, and the message names what is missing. */
  readonly credentials?: { readonly clientId: string; readonly clientSecret: string }
  /** What is missing, by the names of option and variable. */
  readonly missing: readonly string[]
  readonly descriptor?: string | Uint8Array | readonly (string | Uint8Array)[]
  readonly keepalive: { readonly timeMs: number; readonly timeoutMs: number }
  readonly deadlineMs: number
  readonly maxAttempts: number
  /** If absent, the one of the runtime. */
  readonly fetch?: PpoppoFetch
  readonly grpcChannelOptions?: Readonly<Record<string, string | number>>
  readonly redis?: Redis | Cluster | string
  readonly keyPrefix: string
}
