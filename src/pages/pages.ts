import type { Request, Response } from 'express'
import { mergeTexts, type TextsByLanguage } from './languages.js'
import { sendPage } from './send-page.js'
import type { PageKind, PageTextOverrides } from './text-types.js'
import { renderPage } from './view.js'

/** What a route knows about the page it sends. */
export interface PageDetails {
  /** @default by kind, see {@link PAGE_STATUS} */
  readonly status?: number
  /** Path or absolute URL, already checked; the page's button keeps it. */
  readonly returnTo?: string
  /** Shown as "Reference", and in `onEvent`. */
  readonly correlationId?: string
  /** The app's own reason, on `denied`; any text, since it is escaped. */
  readonly reason?: string
  /** Who is signed in, formatted for people; on `still_signed_in`. */
  readonly account?: string
  /** On `scope_shortfall`. */
  readonly missingScopes?: readonly string[]
  /** On `verification_failed`, if the clocks disagree: seconds that PAS's clock is ahead; negative if it is behind. */
  readonly clockAheadSeconds?: number
  /** Where the page redirects or, on `framed` and `form_unreadable`, where its button leads; `https:` or `http:`. */
  readonly goOnUrl?: string
  /** `Retry-After`. @default 5 with status 503, 60 with status 429 */
  readonly retryAfterSeconds?: number
}

/** The pages of one instance. */
export interface Pages {
  /** Sends the page in the visitor's language, and ends the response. */
  send(req: Request, res: Response, kind: PageKind, details?: PageDetails): void
}

/** HTTP status by kind. */
export const PAGE_STATUS: Readonly<Record<PageKind, number>> = {
  attempt_missing: 400,
  attempt_expired: 400,
  // Not 5xx: anybody can forge a cookie that names no attempt.
  attempt_lost: 400,
  malformed: 400,
  already_handled: 400,
  still_signed_in: 409,
  access_denied: 403,
  account_setup_required: 403,
  provider_error: 502,
  code_refused: 400,
  invalid_redirect_uri: 500,
  invalid_client: 500,
  invalid_scope: 500,
  invalid_request: 500,
  scope_shortfall: 403,
  // Not 5xx: whoever sent a response that fails verification may have forged it.
  verification_failed: 400,
  provider_unavailable: 503,
  store_unavailable: 503,
  sign_in_unknown: 503,
  app_failed: 503,
  denied: 403,
  rate_limited: 429,
  cookie_missing: 400,
  sign_in_lost: 503,
  sign_in_required: 401,
  form_signed_out: 200,
  login_go_on: 200,
  framed: 200,
  form_unreadable: 400,
  signed_out_everywhere: 409,
  logout_confirm: 200,
  logout_go_on: 200,
  signed_out: 200,
  everywhere_signed_out: 409,
  logout_unavailable: 503,
  sign_in_again: 401,
  forbidden: 403,
  cross_site: 403,
  request_refused: 400,
  not_available: 503,
}

const RETRY_AFTER_SECONDS: Readonly<Record<number, number>> = { 429: 60, 503: 5 }

/** What the pages need of the configuration. */
export interface PagesParts {
  /** Public origin: the links of a page lead there, even if the page was opened under a different host. */
  readonly origin?: string
  /** Public path of the routes, e.g. `/auth`. */
  readonly mountPath: string
  /** Where a page leads if it has no other target. */
  readonly homeUrl?: string
  /** Name of the site. */
  readonly appName?: string
  /** The app's texts by language; they override the built-in ones. */
  readonly texts?: Readonly<Record<string, PageTextOverrides>>
}

/**
 * Creates the error and information pages, in the built-in languages and those that the app adds.
 *
 * @example createPages({ mountPath: '/auth', texts: {} }).send(req, res, 'access_denied', { returnTo: '/basket' })
 */
export function createPages(parts: PagesParts): Pages {
  const { origin = '', mountPath, homeUrl = `${origin}/`, appName = '' } = parts
  const site = { origin, mountPath, homeUrl, appName }
  const texts = mergeTexts(parts.texts)

  function send(req: Request, res: Response, kind: PageKind, details: PageDetails = {}): void {
    const language = chooseLanguage(req, texts)
    const { status = PAGE_STATUS[kind], retryAfterSeconds = RETRY_AFTER_SECONDS[status], ...content } = details
    sendPage(req, res, {
      status,
      html: renderPage({
        ...content,
        ...site,
        kind,
        language,
        isForFrame: req.get('turbo-frame') !== undefined,
        texts: texts[language] ?? texts.en,
      }),
      language,
      hasForm: kind === 'logout_confirm' || kind === 'still_signed_in',
      isCallback: kind === 'still_signed_in',
      isFramed: kind === 'framed',
      ...(content.returnTo === undefined ? {} : { formTarget: content.returnTo }),
      ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
    })
  }
  return { send }
}

/** The best match among the available languages; English if the browser accepts none of them. */
function chooseLanguage(req: Request, texts: TextsByLanguage): string {
  const chosen = req.acceptsLanguages(Object.keys(texts))
  return chosen === false ? 'en' : chosen
}
