import { escapeHtml } from '../lib/html.js'
import { renderPage } from './layout.js'

/** The content of a page that only informs. */
export interface Message {
  readonly title: string
  readonly text: string
  /** The OAuth error code, where there is one. */
  readonly code?: string
  readonly link?: { readonly href: string; readonly label: string }
}

export function renderMessagePage({ title, text, code, link }: Message): string {
  const reference = code === undefined ? '' : `<p><code>${escapeHtml(code)}</code></p>`
  const way = link === undefined ? '' : `<p><a href="${escapeHtml(link.href)}">${escapeHtml(link.label)}</a></p>`
  return renderPage(title, `<h1>${escapeHtml(title)}</h1>\n<p>${escapeHtml(text)}</p>\n${reference}\n${way}`)
}
