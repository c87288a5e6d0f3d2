/*
 * Every error the library raises, in one catalogue. `test/errors.test.ts` walks it, and the README's error table is
 * checked against it.
 */

/** What a code means. */
export interface ErrorCatalogueEntry {
  /** HTTP status an Express error handler should answer with (`error.status`). */
  readonly status: number
  /** Whether the same call may succeed later without anybody changing anything. */
  readonly retryable: boolean
  /** One line for the README's table. */
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

/** Code -> what it means. */
export const ERROR_CATALOGUE: Readonly<Record<PpoppoErrorCode, ErrorCatalogueEntry>> = {
  config_invalid: { status: 500, retryable: false, meaning: 'An option or environment variable is missing or wrong.' },
  session_missing: { status: 500, retryable: false, meaning: 'There is no usable `req.session` where one is needed.' },
  session_invalid: {
    status: 500,
    retryable: false,
    meaning: '`req.session` was replaced, or holds something that JSON cannot.',
  },
  store_unavailable: { status: 503, retryable: true, meaning: 'Redis does not answer; nobody has been signed out.' },
  store_full: {
    status: 503,
    retryable: true,
    meaning: 'The store holds as many login attempts, or (memory) sign-ins, as it may.',
  },
  provider_unavailable: { status: 503, retryable: true, meaning: 'PAS does not answer, or not in time.' },
  provider_misconfigured: {
    status: 503,
    retryable: false,
    meaning: 'PAS refuses this client, or announces another issuer.',
  },
  provider_response_invalid: {
    status: 502,
    retryable: false,
    meaning: 'PAS answered with something that does not verify.',
  },
  scope_shortfall: {
    status: 403,
    retryable: false,
    meaning: 'Fewer scopes were granted than asked; `missing` names them.',
  },
  subject_mismatch: { status: 502, retryable: false, meaning: 'userinfo is about another account than the id_token.' },
  signed_out: { status: 401, retryable: false, meaning: 'Nobody is signed in in this browser, or no longer.' },
  sign_in_denied: {
    status: 403,
    retryable: false,
    meaning: '`onSignIn` refused this account with `denySignIn(reason)`.',
  },
  ppnum_invalid: { status: 400, retryable: false, meaning: 'The text is not a ppnum: 11 digits or more.' },
  request_invalid: {
    status: 400,
    retryable: false,
    meaning: 'A Messaging request is malformed; the message names the path of the value.',
  },
  recipients_source_failed: {
    status: 500,
    retryable: false,
    meaning: "`sendMany`'s `recipients` threw; `report` says what was sent before.",
  },
  closed: { status: 503, retryable: false, meaning: '`close()` was called; this instance answers no more.' },
  messaging_not_configured: {
    status: 503,
    retryable: false,
    meaning: 'The id or the secret of the Messaging API client is not set.',
  },
  messaging_misconfigured: {
    status: 503,
    retryable: false,
    meaning:
      "`apiUrl` or `tokenUrl` leads to something else than Ppoppo's Messaging API, or its certificate or protocol (no TLS, no HTTP/2) is at fault.",
  },
  messaging_unavailable: {
    status: 503,
    retryable: true,
    meaning: "PCS, or PAS's token endpoint for it, does not answer.",
  },
  messaging_response_invalid: {
    status: 502,
    retryable: false,
    meaning: "PCS, or PAS's token endpoint for it, answered with something unusable.",
  },
  credentials_rejected: {
    status: 503,
    retryable: false,
    meaning: 'The id or the secret of the Messaging API client is refused.',
  },
  not_found: {
    status: 404,
    retryable: false,
    meaning: "The template, send, poll or recipient does not exist, or is not this app's.",
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
  template_name_taken: { status: 409, retryable: false, meaning: 'A template of this name exists already.' },
  rate_limited: {
    status: 429,
    retryable: true,
    meaning: 'Too many requests a minute; `retryAfterMs` says how long to wait.',
  },
  quota_exceeded: { status: 429, retryable: false, meaning: "The app's quota is used up." },
  deadline_exceeded: { status: 504, retryable: true, meaning: 'The call did not end within `deadlineMs`.' },
  send_outcome_unknown: {
    status: 502,
    retryable: false,
    meaning: 'The send may have been accepted: it is not repeated. `known` says what is known.',
  },
  cursor_lost: {
    status: 409,
    retryable: false,
    meaning:
      'PCS no longer knows the event to go on after, or Redis has lost it; `onCursorLost` says what a consumer does then.',
  },
  dead_letters_full: {
    status: 503,
    retryable: false,
    meaning: 'A consumer has ended: as many events as are kept could not be handled, and wait in `deadLetters(name)`.',
  },
}

/** Details of a {@link PpoppoError}. */
export interface PpoppoErrorOptions {
  /** What led to it. Never printed by this class; make sure it holds no token before passing one on. */
  readonly cause?: unknown
  /** When to try again, in milliseconds, where that is known. */
  readonly retryAfterMs?: number
  /** Scopes that were asked for and not granted (`scope_shortfall`). */
  readonly missing?: readonly string[]
  /** Status code of gRPC, 1 to 16, where PCS or the connection to it gave one. */
  readonly grpcCode?: number
  /** What is known of a send whose outcome is not (`send_outcome_unknown`). */
  readonly known?: KnownOfSend
}

/** What is known of a send whose outcome is not. */
export interface KnownOfSend {
  readonly templateId: string
  /** How many it was for. */
  readonly recipients: number
  /** Attempts begun; all but the last surely did nothing. */
  readonly attempts: number
}

/**
 * An error of express-ppoppo: `code` from {@link ERROR_CATALOGUE}, `status` for an Express error handler, `retryable`.
 * The message says what failed and what to do; it never holds a secret, a token, or a URL with its query.
 */
export class PpoppoError extends Error {
  override readonly name = 'PpoppoError'
  readonly code: PpoppoErrorCode
  /** HTTP status an Express error handler should answer with. */
  readonly status: number
  readonly retryable: boolean
  // Declared only: a field that is there and undefined is printed under every error.
  declare readonly retryAfterMs?: number
  declare readonly missing?: readonly string[]
  declare readonly grpcCode?: number
  declare readonly known?: KnownOfSend

  constructor(code: PpoppoErrorCode, message: string, options: PpoppoErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.code = code
    this.status = ERROR_CATALOGUE[code].status
    this.retryable = ERROR_CATALOGUE[code].retryable
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
