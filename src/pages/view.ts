import { type HtmlValue, html, type SafeHtml, trustedHtml } from '../lib/html.js'
import { PAGE_STYLE } from './style.js'
import type { PageKind, PageTexts } from './text-types.js'
import { formatDifference } from './time-difference.js'

/** What a page shows. All text is escaped, and the scheme of each URL is checked. */
export interface PageContent {
  readonly kind: PageKind
  /** BCP 47. */
  readonly language: string
  readonly texts: PageTexts
  /** Whether a Turbo frame requested it, which cannot show a whole page. */
  readonly isForFrame: boolean
  /** Public origin. */
  readonly origin: string
  /** Public path of the routes. */
  readonly mountPath: string
  /** Public address of the app. */
  readonly homeUrl: string
  /** Name of the site. */
  readonly appName: string
  /** Path or absolute URL, already checked. */
  readonly returnTo?: string
  readonly correlationId?: string
  /** Who is signed in, on `still_signed_in`. */
  readonly account?: string
  /** The app's own reason on `denied`. */
  readonly reason?: string
  readonly missingScopes?: readonly string[]
  /** On `verification_failed`: seconds that PAS's clock is ahead of this machine's; negative if it is behind. */
  readonly clockAheadSeconds?: number
  /** Where the page redirects or, on `framed` and `form_unreadable`, where its button leads. */
  readonly goOnUrl?: string
}

/** Makes Turbo leave the page to the browser: one that redirects, or that a Turbo frame would show as "Content missing". */
const FULL_RELOAD = '<meta name="turbo-visit-control" content="reload">'
/** Longer reasons are truncated: a page is not a log. */
const MAX_REASON_LENGTH = 600
const RIGHT_TO_LEFT = /^(ar|fa|he|ps|ur|yi)\b/i

/** Renders the page as one HTML document: no script, no image, nothing to load. */
export function renderPage(content: PageContent): string {
  const { language, texts, kind } = content
  const text = texts.pages[kind]
  return html`<!doctype html>
<html lang="${language}" dir="${RIGHT_TO_LEFT.test(language) ? 'rtl' : 'ltr'}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
${redirectsItself(content) && html`<meta http-equiv="refresh" content="0; url=${content.goOnUrl}">`}
${(content.isForFrame || redirectsItself(content)) && trustedHtml(FULL_RELOAD)}
<title>${text.title}</title>
<style>${trustedHtml(PAGE_STYLE)}</style>
</head>
<body>
<main data-turbo="false">
${siteName(content)}
${mark(kind)}
<h1>${text.title}</h1>
<p>${text.what}</p>
<p class="todo">${text.todo}</p>
${notes(content)}
${actions(content)}
${developerNote(content)}
${content.correlationId !== undefined && html`<footer>${texts.reference}: <code>${content.correlationId}</code></footer>`}
</main>
</body>
</html>
`.toString()
}

function redirectsItself({ kind, goOnUrl }: PageContent): boolean {
  return ['login_go_on', 'logout_go_on', 'signed_out'].includes(kind) && isWebUrl(goOnUrl)
}

/** A link to the site's home; in a frame of another site only its name. */
function siteName({ kind, appName, homeUrl }: PageContent): HtmlValue {
  if (appName === '') return undefined
  if (kind === 'framed') return html`<span class="site" dir="auto">${appName}</span>`
  return html`<a class="site" href="${homeUrl}" dir="auto">${appName}</a>`
}

/** Who is signed in, the app's reason, or the missing scopes: each on the one page that needs it. */
function notes({ kind, texts, account, reason = '', missingScopes = [] }: PageContent): HtmlValue {
  if (kind === 'still_signed_in' && account !== undefined) {
    return note(texts.signedInAs, html`<p dir="ltr">${account}</p>`)
  }
  if (kind === 'denied' && reason.trim() !== '') {
    return note(texts.reason, html`<p dir="auto">${reason.slice(0, MAX_REASON_LENGTH)}</p>`)
  }
  if (kind === 'scope_shortfall' && missingScopes.length > 0) {
    return note(
      texts.missingScopes,
      html`<ul>${missingScopes.map((scope) => html`<li><code>${scope}</code></li>`)}</ul>`,
    )
  }
  return undefined
}

/** Below the button, because it is not for the visitor. */
function developerNote(content: PageContent): HtmlValue {
  const { kind, texts } = content
  const developer = clockNote(content) ?? texts.pages[kind].developer
  return developer !== undefined && note(texts.forDeveloper, html`<p>${developer}</p>`)
}

function clockNote({ kind, texts, language, clockAheadSeconds }: PageContent): string | undefined {
  if (kind !== 'verification_failed' || clockAheadSeconds === undefined) return undefined
  const text = clockAheadSeconds > 0 ? texts.clockBehind : texts.clockAhead
  return text.replaceAll('{difference}', () => formatDifference(Math.abs(clockAheadSeconds), language))
}

function note(heading: string, body: SafeHtml): SafeHtml {
  return html`<div class="note"><strong>${heading}</strong>${body}</div>`
}

/** One button to continue. A sign-out is a form, since a link must not change anything. */
function actions(content: PageContent): HtmlValue {
  const { kind, texts, mountPath, homeUrl, returnTo } = content
  const { action } = texts.pages[kind]
  const button = html`<a class="button" ${linkKind(kind)} href="${target(content)}">${action}</a>`
  if (kind === 'still_signed_in') {
    return html`<form class="actions" method="post" action="${mountPath}/logout">
${signOutFields(returnTo)}
${button}
<button class="button quiet" type="submit">${texts.pages.logout_confirm.action}</button>
</form>`
  }
  if (kind !== 'logout_confirm') return html`<div class="actions">${button}</div>`
  return html`<form method="post" action="${mountPath}/logout">
${signOutFields(returnTo)}
<label class="choice"><input type="checkbox" name="everywhere" value="1"><span>${texts.everywhere}</span></label>
<div class="actions"><button class="button" type="submit">${action}</button>
<a class="button quiet" href="${isPathOrWebUrl(returnTo) ? returnTo : homeUrl}">${texts.back}</a></div>
</form>`
}

/** Field of a sign-out form: answers with a page that continues to `return_to` instead of a redirect. */
export const GO_ON = 'go_on'

function signOutFields(returnTo: string | undefined): HtmlValue {
  return html`<input type="hidden" name="${GO_ON}" value="1">${returnTo !== undefined && html`<input type="hidden" name="return_to" value="${returnTo}">`}`
}

/** Libraries that follow links by script ignore links with a `target`. */
function linkKind(kind: PageKind): SafeHtml {
  if (kind === 'framed') return html`rel="noopener nofollow" target="_blank"`
  return kind === 'login_go_on' ? html`rel="nofollow" target="_top"` : html`rel="nofollow"`
}

/** Where the button leads: to PAS, back to the confirmation page or the requested page, or to a new sign-in. */
function target({ kind, origin, mountPath, homeUrl, returnTo, goOnUrl }: PageContent): string {
  if (['login_go_on', 'logout_go_on', 'framed', 'form_unreadable'].includes(kind))
    return isWebUrl(goOnUrl) ? goOnUrl : homeUrl
  if (['forbidden', 'cross_site', 'request_refused'].includes(kind)) return homeUrl
  if (['sign_in_unknown', 'signed_out', 'still_signed_in', 'not_available'].includes(kind))
    return isPathOrWebUrl(returnTo) ? returnTo : homeUrl
  const route = kind === 'logout_unavailable' ? 'logout' : 'login'
  // URLSearchParams, since encodeURIComponent throws on a lone surrogate.
  const asked = {
    ...(returnTo === undefined ? {} : { return_to: returnTo }),
    // With the same account the result would be the same.
    ...(kind === 'denied' ? { prompt: 'select_account' } : {}),
    ...(kind === 'sign_in_again' ? { prompt: 'login' } : {}),
  }
  const query = Object.keys(asked).length === 0 ? '' : `?${new URLSearchParams(asked)}`
  return `${origin}${mountPath}/${route}${query}`
}

function isWebUrl(url: string | undefined): url is string {
  return url !== undefined && /^https?:\/\//i.test(url)
}

function isPathOrWebUrl(url: string | undefined): url is string {
  return isWebUrl(url) || (url !== undefined && /^\/(?![/\\])/.test(url))
}

const QUESTIONS: readonly PageKind[] = [
  'still_signed_in',
  'login_go_on',
  'framed',
  'logout_confirm',
  'logout_go_on',
  'already_handled',
  'signed_out_everywhere',
  'signed_out',
  'everywhere_signed_out',
]
const PAUSES: readonly PageKind[] = [
  'provider_unavailable',
  'store_unavailable',
  'sign_in_unknown',
  'app_failed',
  'rate_limited',
  'attempt_expired',
  'code_refused',
  'attempt_lost',
  'sign_in_lost',
  'logout_unavailable',
  'not_available',
]

/** A decorative icon by kind of page; it adds nothing to the heading. */
function mark(kind: PageKind): SafeHtml {
  const shape = QUESTIONS.includes(kind)
    ? 'M20 12v-2a3 3 0 0 0-3-3h-5a3 3 0 0 0-3 3v12a3 3 0 0 0 3 3h5a3 3 0 0 0 3-3v-2M14 16h12m-4-4 4 4-4 4'
    : PAUSES.includes(kind)
      ? 'M16 9v7l4.5 3'
      : 'M16 9.5v8M16 22v.01'
  // Without its ring the shape starts further right; either way it aligns with the heading.
  const left = QUESTIONS.includes(kind) ? 8 : 3
  const ring = QUESTIONS.includes(kind) ? undefined : html`<circle cx="16" cy="16" r="12"/>`
  return html`<svg class="mark" aria-hidden="true" width="36" height="36" viewBox="${left} 3 26 26" fill="none" stroke="currentColor" stroke-width="2" stroke-linecap="round" stroke-linejoin="round">${ring}<path d="${shape}"/></svg>`
}
