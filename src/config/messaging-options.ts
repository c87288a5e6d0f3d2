import type { Cluster, Redis } from 'ioredis'
import type { PpoppoFetch } from '../lib/http.js'

/** Options of `createMessaging()`; each has an environment variable where one is named. */
export interface MessagingOptions {
  /** E.g. `https://api.ppoppo.com/ext`: the path is a prefix of every gRPC path. `PCS_API_URL`. @default by `environment` */
  readonly apiUrl?: string
  /** The full token endpoint. `PAS_TOKEN_URL`. @default by `environment` */
  readonly tokenUrl?: string
  /** External API client; not the login client. `PAS_PCS_CLIENT_ID`. */
  readonly clientId?: string
  /** Without the one the other is a fault at start; without both every call rejects. `PAS_PCS_CLIENT_SECRET`. */
  readonly clientSecret?: string
  /** Sets the URLs. `PPOPPO_ENVIRONMENT`. @default 'production' */
  readonly environment?: 'production' | 'sandbox' | 'local'
  /**
   * The vendor's own definition: a `.proto`, a folder of them, a descriptor set, or a list of such; each a path, a set
   * also as bytes. @default our transcription
   */
  readonly descriptor?: string | Uint8Array | readonly (string | Uint8Array)[]
  /** HTTP/2 pings on an idle connection, which find out that it is dead. */
  readonly keepalive?: {
    /** Idle time before a ping, in milliseconds. @default 60_000 */
    readonly timeMs?: number
    /** How long to wait for its answer, in milliseconds. @default 20_000 */
    readonly timeoutMs?: number
  }
  /** Default deadline of a call, in milliseconds. @default 20_000 */
  readonly deadlineMs?: number
  /** Attempts of a call that may be repeated, the first included. @default 4 */
  readonly maxAttempts?: number
  /**
   * Makes the token request, for a proxy or certificates of your own: Node's `fetch`, undici's with a dispatcher, or what
   * answers like them. It must not follow redirects. @default Node's `fetch`; in `ppoppo()` its own
   */
  readonly fetch?: PpoppoFetch
  /**
   * Options of grpc-js's channel by their names there, over ours: `{ 'grpc.enable_http_proxy': 0 }` goes past the proxy that
   * `grpc_proxy` names. What decides about repeats is not among them. @default none
   */
  readonly grpcChannelOptions?: Readonly<Record<string, string | number>>
  /**
   * What `consume()` keeps its place in: an ioredis client or Cluster (it is duplicated, and never closed), or a
   * `redis:`/`rediss:` URL. `REDIS_URL`. @default none: one process, until it ends; in `ppoppo()` its own Redis
   */
  readonly redis?: Redis | Cluster | string
  /** What all keys in Redis begin with. @default 'ppoppo:'; in `ppoppo()` its own */
  readonly keyPrefix?: string
}

/** What `resolveMessagingConfig` makes of options and environment. */
export interface MessagingConfig {
  readonly apiUrl: string
  readonly tokenUrl: string
  /** Absent: every call rejects with `messaging_not_configured`, and the message names what is missing. */
  readonly credentials?: { readonly clientId: string; readonly clientSecret: string }
  /** Names of what is missing, as options and variables. */
  readonly missing: readonly string[]
  readonly descriptor?: string | Uint8Array | readonly (string | Uint8Array)[]
  readonly keepalive: { readonly timeMs: number; readonly timeoutMs: number }
  readonly deadlineMs: number
  readonly maxAttempts: number
  /** Absent: the runtime's. */
  readonly fetch?: PpoppoFetch
  readonly grpcChannelOptions?: Readonly<Record<string, string | number>>
  readonly redis?: Redis | Cluster | string
  readonly keyPrefix: string
}
