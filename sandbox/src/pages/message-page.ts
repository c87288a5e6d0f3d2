import { escapeHtml } from '../lib/html.js'
import { renderPage } from './layout.js'

/** What a page that only tells something says. */
export interface Message {
  readonly title: string
  readonly text: string
  /** The OAuth error code, where there is one. */
  readonly code?: string
}

export function renderMessagePage({ title, text, code }: Message): string {
  const reference = code === undefined ? '' : `<p><code>${escapeHtml(code)}</code></p>`
  return renderPage(title, `<h1>${escapeHtml(title)}</h1>\n<p>${escapeHtml(text)}</p>\n${reference}`)
}
