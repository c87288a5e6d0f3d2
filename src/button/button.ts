import type { Request, Response } from 'express'
import { assertCallOptions } from '../config/call-options.js'
import { PpoppoError } from '../errors.js'
import { sendAsset, toAsset } from '../http/asset.js'
import { html, trustedHtml } from '../lib/html.js'
import { type LoginWishes, toLinkParams } from '../login-link/login-params.js'
import { mergeTexts } from '../pages/languages.js'
import type { PageTextOverrides } from '../pages/text-types.js'
import { BUTTON_CSS, BUTTON_ICON, buttonScript } from './assets.js'

/** Options of `auth.signInButton()`. */
export interface SignInButtonOptions extends LoginWishes {
  /** Where to return after the sign-in: a path, or a URL of an allowed origin. @default the app's home */
  readonly returnTo?: string
  /** Language of the text, BCP 47; English if there is no text for it. @default 'en' */
  readonly lang?: string
  /** Theme of the page around it. @default 'auto', the visitor's system setting */
  readonly theme?: 'auto' | 'light' | 'dark'
  /** Text of the button. @default 'Sign in with Ppoppo', or the `signIn` text of the language */
  readonly label?: string
  /** Class names to add to `ppoppo-sign-in`. */
  readonly className?: string
}

/** The sign-in button of one instance. */
export interface Button {
  /** A link as HTML, styled by `button.css`. @throws PpoppoError `config_invalid` for an unknown or wrong option */
  html(options?: SignInButtonOptions): string
  readonly assets: { readonly js: string; readonly css: string }
  /** `GET /button.js` */
  sendScript(req: Request, res: Response): void
  /** `GET /button.css` */
  sendStylesheet(req: Request, res: Response): void
  /** `GET /button?lang=ko&return_to=/x&theme=dark` */
  sendFragment(req: Request, res: Response): void
}

const OPTION_NAMES = Object.keys({
  returnTo: true,
  lang: true,
  theme: true,
  label: true,
  className: true,
  prompt: true,
  loginHint: true,
  uiLocales: true,
} satisfies Record<keyof SignInButtonOptions, true>)
const THEMES: readonly unknown[] = ['auto', 'light', 'dark']
const MAX_QUERY_TEXT = 2_048

/** What the button needs of the configuration. */
export interface ButtonParts {
  /** Public path of the routes, e.g. `/auth`. */
  readonly mountPath: string
  /**
   * Public origin. The button always links there, even on a page that was opened under a different host: a sign-in must
   * begin on the host that its callback returns to.
   */
  readonly origin: string
  /** The app's texts by language; `signIn` is the text of the button. */
  readonly texts?: Readonly<Record<string, PageTextOverrides>>
}

/**
 * Creates the sign-in button. It is a link, not a form: that works without JavaScript, under any policy, and in any
 * markup. The login route makes sure that a prefetch of the link starts nothing.
 *
 * @example createButton({ mountPath: '/auth', origin: 'https://app.example' }).html({ returnTo: '/basket', lang: 'ko' })
 */
export function createButton({ mountPath, origin, texts }: ButtonParts): Button {
  const labels = Object.fromEntries(
    Object.entries(mergeTexts(texts)).map(([language, { signIn }]) => [language, signIn]),
  )
  const base = origin + mountPath
  const assets = { js: buttonScript(base, labels), css: BUTTON_CSS } as const
  const script = toAsset('text/javascript', assets.js)
  const stylesheet = toAsset('text/css', assets.css)

  return {
    html: (given = {}) => renderLink(base, labels, checkOptions(given)),
    assets,
    sendScript: (req, res) => sendAsset(req, res, script),
    sendStylesheet: (req, res) => sendAsset(req, res, stylesheet),
    sendFragment: (req, res) =>
      sendAsset(req, res, toAsset('text/html', renderLink(base, labels, toOptions(req.query)))),
  }
}

function renderLink(base: string, labels: Readonly<Record<string, string>>, options: SignInButtonOptions): string {
  const { returnTo, theme = 'auto', className } = options
  const language = knownLanguage(labels, options.lang)
  // URLSearchParams, since encodeURIComponent throws on a lone surrogate.
  const asked = { ...(returnTo === undefined ? {} : { return_to: returnTo }), ...toLinkParams(options, 'signInButton') }
  const query = Object.keys(asked).length === 0 ? '' : `?${new URLSearchParams(asked)}`
  const classes = className === undefined ? 'ppoppo-sign-in' : `ppoppo-sign-in ${className}`
  const label = options.label ?? labels[language]
  return html`<a class="${classes}" data-theme="${theme}" lang="${language}" rel="nofollow" data-turbo="false" href="${base}/login${query}">${trustedHtml(BUTTON_ICON)}<span>${label}</span></a>`.toString()
}

/** `ko-KR` if there is a text for it, otherwise `ko`, otherwise `en`. */
function knownLanguage(labels: Readonly<Record<string, string>>, language = 'en'): string {
  const wanted = language.toLowerCase()
  const find = (name: string | undefined): string | undefined =>
    Object.keys(labels).find((known) => known.toLowerCase() === name)
  return find(wanted) ?? find(wanted.split('-')[0]) ?? 'en'
}

/** A wrong option is a mistake in the app's code, so it throws at once. */
function checkOptions(options: SignInButtonOptions): SignInButtonOptions {
  assertCallOptions(options, OPTION_NAMES, 'signInButton')
  for (const [key, value] of Object.entries(options)) {
    if (key === 'theme' && value !== undefined && !THEMES.includes(value)) {
      throw new PpoppoError('config_invalid', 'signInButton: "theme" must be "auto", "light" or "dark"')
    }
    if (value !== undefined && typeof value !== 'string') {
      throw new PpoppoError('config_invalid', `signInButton: "${key}" must be a string`)
    }
  }
  return options
}

/** Anybody can write a query, so what is not valid in it is ignored. */
function toOptions(query: Request['query']): SignInButtonOptions {
  const text = (name: string): string | undefined => {
    const value = query[name]
    return typeof value === 'string' && value !== '' && value.length <= MAX_QUERY_TEXT ? value : undefined
  }
  const returnTo = text('return_to')
  const lang = text('lang')
  const theme = text('theme')
  return {
    ...(returnTo === undefined ? {} : { returnTo }),
    ...(lang === undefined ? {} : { lang }),
    ...(theme === 'light' || theme === 'dark' ? { theme } : {}),
  }
}
