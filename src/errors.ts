/*
 * The catalogue of all errors that the library raises. `test/errors.test.ts` walks it and compares it with the table in
 * the documentation.
 */

import { docsUrl } from './lib/docs-url.js'

/** What an error code means. */
export interface ErrorCatalogueEntry {
  /** HTTP status that an Express error handler should respond with (`error.status`). */
  readonly status: number
  /** Whether the same call may succeed later without anybody changing anything. */
  readonly retryable: boolean
  /** One line for the table of errors. */
  readonly meaning: string
}

/** Stable error code, e.g. `'provider_unavailable'`. Programs may switch on it. */
export type PpoppoErrorCode =
  | 'config_invalid'
  | 'session_missing'
  | 'session_invalid'
  | 'store_unavailable'
  | 'store_full'
  | 'provider_unavailable'
  | 'provider_misconfigured'
  | 'provider_response_invalid'
  | 'scope_shortfall'
  | 'subject_mismatch'
  | 'signed_out'
  | 'sign_in_denied'
  | 'cross_site'
  | 'ppnum_invalid'
  | 'request_invalid'
  | 'recipients_source_failed'
  | 'closed'
  | 'messaging_not_configured'
  | 'messaging_misconfigured'
  | 'messaging_unavailable'
  | 'messaging_response_invalid'
  | 'credentials_rejected'
  | 'not_found'
  | 'permission_denied'
  | 'precondition_failed'
  | 'template_name_taken'
  | 'rate_limited'
  | 'quota_exceeded'
  | 'deadline_exceeded'
  | 'send_outcome_unknown'
  | 'cursor_lost'
  | 'dead_letters_full'
  | 'campaign_conflict'

/** What each code means. */
export const ERROR_CATALOGUE: Readonly<Record<PpoppoErrorCode, ErrorCatalogueEntry>> = {
  config_invalid: { status: 500, retryable: false, meaning: 'An option or environment variable is missing or wrong.' },
  session_missing: { status: 500, retryable: false, meaning: 'There is no usable `req.session` where one is needed.' },
  session_invalid: {
    status: 500,
    retryable: false,
    meaning: '`req.session` was replaced, or holds something that JSON cannot represent.',
  },
  store_unavailable: { status: 503, retryable: true, meaning: 'Redis does not respond; nobody has been signed out.' },
  store_full: {
    status: 503,
    retryable: true,
    meaning: 'The store has reached its limit of login attempts or, in memory, of sign-ins.',
  },
  provider_unavailable: { status: 503, retryable: true, meaning: 'PAS does not respond in time.' },
  provider_misconfigured: {
    status: 503,
    retryable: false,
    meaning: 'PAS rejects this client, or announces another issuer.',
  },
  provider_response_invalid: {
    status: 502,
    retryable: false,
    meaning: 'The response of PAS failed verification.',
  },
  scope_shortfall: {
    status: 403,
    retryable: false,
    meaning: 'PAS granted fewer scopes than requested; `missing` names them.',
  },
  subject_mismatch: {
    status: 502,
    retryable: false,
    meaning: 'userinfo describes a different account than the id_token.',
  },
  signed_out: { status: 401, retryable: false, meaning: 'Nobody is signed in here, or the sign-in has ended.' },
  sign_in_denied: {
    status: 403,
    retryable: false,
    meaning: '`onSignIn` rejected this account with `denySignIn(reason)`.',
  },
  cross_site: {
    status: 403,
    retryable: false,
    meaning: 'A page of another site sent a request that may change something, or opened a socket.',
  },
  ppnum_invalid: { status: 400, retryable: false, meaning: 'The text is not a ppnum: 11 digits or more.' },
  request_invalid: {
    status: 400,
    retryable: false,
    meaning: 'A Messaging request is invalid; the message names the path of the value.',
  },
  recipients_source_failed: {
    status: 500,
    retryable: false,
    meaning: 'The `recipients` of `sendMany` threw; `report` holds the partial result.',
  },
  closed: { status: 503, retryable: false, meaning: '`close()` has been called on this instance.' },
  messaging_not_configured: {
    status: 503,
    retryable: false,
    meaning: 'The id or the secret of the Messaging API client is not set.',
  },
  messaging_misconfigured: {
    status: 503,
    retryable: false,
    meaning:
      '`apiUrl` or `tokenUrl` does not point at the Messaging API, or its certificate or protocol (no TLS, no HTTP/2) is wrong.',
  },
  messaging_unavailable: {
    status: 503,
    retryable: true,
    meaning: "PCS, or PAS's token endpoint for it, does not respond.",
  },
  messaging_response_invalid: {
    status: 502,
    retryable: false,
    meaning: "PCS, or PAS's token endpoint for it, sent an unusable response.",
  },
  credentials_rejected: {
    status: 503,
    retryable: false,
    meaning: 'PAS rejected the id or the secret of the Messaging API client.',
  },
  not_found: {
    status: 404,
    retryable: false,
    meaning: 'The template, send, poll or recipient does not exist, or belongs to another app.',
  },
  permission_denied: {
    status: 403,
    retryable: false,
    meaning: 'The app is suspended, this address is not allowed, or a scope is missing.',
  },
  precondition_failed: {
    status: 409,
    retryable: false,
    meaning: 'The template is inactive, or the app is not approved.',
  },
  template_name_taken: { status: 409, retryable: false, meaning: 'A template with this name already exists.' },
  rate_limited: {
    status: 429,
    retryable: true,
    meaning: 'Too many requests per minute; `retryAfterMs` says how long to wait.',
  },
  quota_exceeded: { status: 429, retryable: false, meaning: "The app's quota is used up." },
  deadline_exceeded: { status: 504, retryable: true, meaning: 'The call did not finish within `deadlineMs`.' },
  send_outcome_unknown: {
    status: 502,
    retryable: false,
    meaning: 'The send may have been accepted, so it is not retried. `known` holds what is known about it.',
  },
  cursor_lost: {
    status: 409,
    retryable: false,
    meaning:
      'PCS no longer knows the event to resume from, or Redis has lost it; `onCursorLost` decides what a consumer does then.',
  },
  dead_letters_full: {
    status: 503,
    retryable: false,
    meaning: 'The consumer stopped because its dead-letter list is full (10,000). Inspect it with `deadLetters(name)`.',
  },
  campaign_conflict: {
    status: 409,
    retryable: false,
    meaning: 'A campaign with this id and different content exists, or it was cancelled while it was being created.',
  },
}

/** Details of a {@link PpoppoError}. */
export interface PpoppoErrorOptions {
  /** The original error. Never printed by this class; make sure that it holds no token before you pass it. */
  readonly cause?: unknown
  /** When to retry, in milliseconds, if that is known. */
  readonly retryAfterMs?: number
  /** Scopes that were requested but not granted (`scope_shortfall`). */
  readonly missing?: readonly string[]
  /** gRPC status code, 1 to 16, if PCS or the connection to it returned one. */
  readonly grpcCode?: number
  /** What is known about a send with an unknown outcome (`send_outcome_unknown`). */
  readonly known?: KnownOfSend
}

/** What is known about a send with an unknown outcome. */
export interface KnownOfSend {
  /** Id of the template. */
  readonly templateId: string
  /** Number of recipients. */
  readonly recipients: number
  /** Number of attempts; all but the last provably had no effect. */
  readonly attempts: number
}

/**
 * An error of express-ppoppo: `code` from {@link ERROR_CATALOGUE}, `status` for an Express error handler, `retryable`.
 * The message says what failed and what to do; it never holds a secret, a token, or a URL with its query.
 */
export class PpoppoError extends Error {
  /** Always `PpoppoError`. */
  override readonly name = 'PpoppoError'
  /** Stable; programs may switch on it. */
  readonly code: PpoppoErrorCode
  /** HTTP status that an Express error handler should respond with. */
  readonly status: number
  /** Whether the same call may succeed later without anybody changing anything. */
  readonly retryable: boolean
  /** The page about this code, in the package: `pkg:npm/express-ppoppo#docs/errors/<code>.md`. */
  readonly docsUrl: string
  // Only declared, since a property that is `undefined` would be printed with every error.
  /** When to retry, in milliseconds, if that is known. */
  declare readonly retryAfterMs?: number
  /** Scopes that were requested but not granted (`scope_shortfall`). */
  declare readonly missing?: readonly string[]
  /** gRPC status code, 1 to 16, if PCS or the connection to it returned one. */
  declare readonly grpcCode?: number
  /** What is known about a send with an unknown outcome (`send_outcome_unknown`). */
  declare readonly known?: KnownOfSend

  constructor(code: PpoppoErrorCode, message: string, options: PpoppoErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.code = code
    this.status = ERROR_CATALOGUE[code].status
    this.retryable = ERROR_CATALOGUE[code].retryable
    this.docsUrl = docsUrl('errors', code)
    if (options.retryAfterMs !== undefined) this.retryAfterMs = options.retryAfterMs
    if (options.missing !== undefined) this.missing = options.missing
    if (options.grpcCode !== undefined) this.grpcCode = options.grpcCode
    if (options.known !== undefined) this.known = options.known
  }
}

/** Whether `error` is a {@link PpoppoError}, with `code` when one is given. */
export function isPpoppoError(error: unknown, code?: PpoppoErrorCode): error is PpoppoError {
  return error instanceof PpoppoError && (code === undefined || error.code === code)
}
