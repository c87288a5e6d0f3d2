/**
 * The content of `/button.css` and `/button.js`. Both are the same for everybody and work under a strict content security
 * policy (`script-src 'self'; style-src 'self'`).
 */

/** An arrow into a door; there is no official logo. Presentation attributes, because `style` needs 'unsafe-inline'. */
export const BUTTON_ICON: string =
  '<svg aria-hidden="true" focusable="false" width="20" height="20" viewBox="0 0 20 20" fill="none" stroke="currentColor" stroke-width="1.8" stroke-linecap="round" stroke-linejoin="round"><path d="M11.5 3H14a2.5 2.5 0 0 1 2.5 2.5v9A2.5 2.5 0 0 1 14 17h-2.5M3 10h9M8.5 6.5 12 10l-3.5 3.5"/></svg>'

const DARK = '--ppoppo-fill:#eceef1;--ppoppo-ink:#15181d;--ppoppo-hover:#fff;--ppoppo-focus:#8ab4ff'

/**
 * Styles of the link, both in a page and in the component's shadow tree. An app may set `--ppoppo-radius` and
 * `--ppoppo-font`.
 */
export const BUTTON_CSS: string = `
.ppoppo-sign-in{--ppoppo-fill:#191d23;--ppoppo-ink:#fff;--ppoppo-hover:#353c47;--ppoppo-focus:#1f5fd6}
@media (prefers-color-scheme:dark){.ppoppo-sign-in:not([data-theme=light]){${DARK}}}
.ppoppo-sign-in[data-theme=dark]{${DARK}}
a.ppoppo-sign-in,a.ppoppo-sign-in:visited{display:inline-flex;align-items:center;justify-content:center;gap:10px;box-sizing:border-box;min-height:44px;max-width:100%;padding:10px 20px;border:1px solid var(--ppoppo-fill);border-radius:var(--ppoppo-radius,10px);background:var(--ppoppo-fill);color:var(--ppoppo-ink);font:600 16px/1.3 var(--ppoppo-font,system-ui,-apple-system,"Segoe UI",Roboto,"Apple SD Gothic Neo","Malgun Gothic","Noto Sans KR","Noto Sans CJK KR",sans-serif);text-align:start;text-decoration:none;word-break:keep-all;cursor:pointer}
a.ppoppo-sign-in:hover{background:var(--ppoppo-hover);border-color:var(--ppoppo-hover);color:var(--ppoppo-ink);text-decoration:none}
a.ppoppo-sign-in:focus-visible{outline:3px solid var(--ppoppo-focus);outline-offset:2px}
a.ppoppo-sign-in svg{flex:none}
@media (forced-colors:active){a.ppoppo-sign-in{border-color:LinkText}}
`.trim()

const HOST_CSS = ':host{display:inline-block;max-width:100%}:host([hidden]){display:none}'

/**
 * The web component: a plain script that works as `<script defer>` and as `<script type="module">`.
 *
 * @param base public URL of the routes, e.g. `https://app.example/auth`. It is written into the script, not read from where
 *   the script was loaded: a sign-in must begin on the host that its callback returns to, even if the page is on a
 *   different one
 * @param labels text of the button by language
 */
export function buttonScript(base: string, labels: Readonly<Record<string, string>>): string {
  return `/* <ppoppo-sign-in return-to="/x" lang="ko" theme="dark" label="..."></ppoppo-sign-in> */
(() => {
  'use strict'
  const BASE = ${toScript(base)}
  const LABELS = ${toScript(labels)}
  const CSS = ${toScript(HOST_CSS + BUTTON_CSS)}
  const ICON = ${toScript(BUTTON_ICON)}
  const NAME = 'ppoppo-sign-in'
  if (!window.customElements || customElements.get(NAME)) return

  // A constructed stylesheet is not inline, so style-src does not apply to it.
  let sheet
  try {
    sheet = new CSSStyleSheet()
    sheet.replaceSync(CSS)
  } catch {
    sheet = undefined
  }

  /** 'ko-KR' if there is one, otherwise 'ko', otherwise English. */
  const labelIn = (language) => {
    const wanted = String(language || '').toLowerCase()
    const known = Object.keys(LABELS)
    const find = (name) => known.find((one) => one.toLowerCase() === name)
    return LABELS[find(wanted) || find(wanted.split('-')[0]) || 'en']
  }

  class PpoppoSignIn extends HTMLElement {
    static get observedAttributes() {
      return ['return-to', 'lang', 'theme', 'label']
    }

    constructor() {
      super()
      const root = this.attachShadow({ mode: 'open', delegatesFocus: true })
      this.link = document.createElement('a')
      this.link.className = NAME
      this.link.rel = 'nofollow'
      this.link.dataset.turbo = 'false'
      this.link.setAttribute('part', 'button')
      this.link.innerHTML = ICON + '<span></span>'
      if (sheet && 'adoptedStyleSheets' in root) {
        root.adoptedStyleSheets = [sheet]
      } else {
        const css = document.createElement('link')
        css.rel = 'stylesheet'
        css.href = BASE + '/button.css'
        root.append(css)
      }
      root.append(this.link)
    }

    connectedCallback() {
      this.render()
    }

    attributeChangedCallback() {
      if (this.isConnected) this.render()
    }

    render() {
      const returnTo = this.getAttribute('return-to')
      const theme = this.getAttribute('theme')
      const near = this.closest('[lang]')
      this.link.href = BASE + '/login' + (returnTo ? '?' + new URLSearchParams({ return_to: returnTo }) : '')
      this.link.dataset.theme = theme === 'light' || theme === 'dark' ? theme : 'auto'
      this.link.lastChild.textContent =
        this.getAttribute('label') || labelIn(near ? near.getAttribute('lang') : document.documentElement.lang)
    }
  }
  customElements.define(NAME, PpoppoSignIn)
})()
`
}

/** JSON that is safe inside a script element. */
function toScript(value: unknown): string {
  return JSON.stringify(value).replace(
    /[<\u2028\u2029]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}
