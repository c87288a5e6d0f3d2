/**
 * The shape of the page texts. Types and names only: the texts are in `texts-en.ts` and its siblings, which `languages.ts`
 * lists and merges with the app's own.
 */

/** Every page that a person may see, in the order of the sign-in. */
export const PAGE_KINDS = [
  'attempt_missing',
  'attempt_expired',
  'attempt_lost',
  'malformed',
  'already_handled',
  'still_signed_in',
  'access_denied',
  'account_setup_required',
  'provider_error',
  'code_refused',
  'invalid_redirect_uri',
  'invalid_client',
  'invalid_scope',
  'invalid_request',
  'scope_shortfall',
  'verification_failed',
  'provider_unavailable',
  'store_unavailable',
  'sign_in_unknown',
  'app_failed',
  'denied',
  'rate_limited',
  'cookie_missing',
  'sign_in_lost',
  'sign_in_required',
  'form_signed_out',
  'login_go_on',
  'framed',
  'form_unreadable',
  'signed_out_everywhere',
  'logout_confirm',
  'logout_go_on',
  'signed_out',
  'everywhere_signed_out',
  'logout_unavailable',
  'sign_in_again',
  'forbidden',
  'cross_site',
  'request_refused',
  'not_available',
] as const

/** One page, by what happened. */
export type PageKind = (typeof PAGE_KINDS)[number]

/** Pages that answer requests to the app's own routes, beside `sign_in_required` and its like. */
export type AppPageKind = Extract<
  PageKind,
  'sign_in_again' | 'forbidden' | 'cross_site' | 'request_refused' | 'not_available'
>

/** The texts of one page: plain text, escaped when shown. */
export interface PageText {
  /** Heading and window title. */
  readonly title: string
  /** What happened, in a sentence or two. */
  readonly what: string
  /** What the person can do now. */
  readonly todo: string
  /** The one button. */
  readonly action: string
  /** What the site's developer should check, if the cause is the configuration. */
  readonly developer?: string
}

/** Texts that several pages share. */
export interface PageLabels {
  /** Text of the sign-in button, also of `auth.signInButton()`. */
  readonly signIn: string
  /** Before the correlation id. */
  readonly reference: string
  /** Before `developer` texts. */
  readonly forDeveloper: string
  /** Before the ppnum on the `still_signed_in` page. */
  readonly signedInAs: string
  /** Before the app's own reason on the `denied` page. */
  readonly reason: string
  /** Before the names of missing scopes. */
  readonly missingScopes: string
  /** For the developer, if this server's clock is behind Ppoppo's; `{difference}` becomes e.g. "90 seconds". */
  readonly clockBehind: string
  /** The same if it is ahead. */
  readonly clockAhead: string
  /** Link that leaves the confirmation page and changes nothing. */
  readonly back: string
  /** Checkbox on the confirmation page: end every sign-in of this account on this site. */
  readonly everywhere: string
}

/** All texts of one language. */
export interface PageTexts extends PageLabels {
  /** Title, text and buttons of each page. */
  readonly pages: Readonly<Record<PageKind, PageText>>
}

/** Texts of an app for one language: any part of it. The rest comes from the built-in texts, finally from `en`. */
export type PageTextOverrides = Partial<PageLabels> & {
  readonly pages?: { readonly [kind in PageKind]?: Partial<PageText> }
}

/** Names of the labels, to validate an app's texts. */
export const LABEL_KEYS: readonly (keyof PageLabels)[] = [
  'signIn',
  'reference',
  'forDeveloper',
  'signedInAs',
  'reason',
  'missingScopes',
  'clockBehind',
  'clockAhead',
  'back',
  'everywhere',
]

/** Names of the texts of one page. */
export const PAGE_TEXT_KEYS: readonly (keyof PageText)[] = ['title', 'what', 'todo', 'action', 'developer']
