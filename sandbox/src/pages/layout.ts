import { createHash } from 'node:crypto'
import { escapeHtml } from '../lib/html.js'

// The colours are those of the library's pages, written down again: an app in development shows one look.
/** Light and dark, for every page. */
export const COLORS: string = `:root { color-scheme: light dark; --ground: #f4f5f7; --card: #fff; --ink: #191d23; --soft: #545c68; --line: #dfe2e7; --accent: #1f5fd6; --note: #fff4d6; --note-ink: #5c4400; }
@media (prefers-color-scheme: dark) { :root { --ground: #101216; --card: #191c22; --ink: #eceef1; --soft: #a8b0bb; --line: #31363f; --accent: #8ab4ff; --note: #3a2f10; --note-ink: #ffe3a1; } }`

const STYLE = `
${COLORS}
* { box-sizing: border-box; }
body { margin: 0; min-height: 100vh; display: grid; place-items: center; padding: 1rem; background: var(--ground); color: var(--ink); font: 1rem/1.5 system-ui, sans-serif; }
main { width: 100%; max-width: 26rem; background: var(--card); border: 1px solid var(--line); border-radius: 1rem; padding: 1.5rem; }
h1 { font-size: 1.35rem; line-height: 1.25; margin: 0 0 .25rem; }
p { margin: 0 0 1rem; color: var(--soft); overflow-wrap: anywhere; }
.note { background: var(--note); color: var(--note-ink); border-radius: .5rem; padding: .5rem .75rem; font-size: .875rem; margin: 0 0 1.25rem; text-wrap: pretty; }
form { display: grid; gap: .5rem; margin: 0; }
button { display: block; width: 100%; text-align: start; font: inherit; color: inherit; background: none; border: 1px solid var(--line); border-radius: .75rem; padding: .7rem .9rem; cursor: pointer; }
button:hover { border-color: var(--accent); }
button:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
button strong { display: block; }
button .facts { display: flex; flex-wrap: wrap; column-gap: .75rem; color: var(--soft); font-size: .875rem; overflow-wrap: anywhere; }
button.deny { text-align: center; margin-top: .5rem; border-style: dashed; }
a { color: var(--accent); }
code { font: .875rem/1.4 ui-monospace, monospace; }
`

const STYLE_HASH = createHash('sha256').update(STYLE).digest('base64')

/** Allows this page's own style and nothing else. */
export const CONTENT_SECURITY_POLICY: string = `default-src 'none'; style-src 'sha256-${STYLE_HASH}'; base-uri 'none'; frame-ancestors 'none'`

/** A whole page around a body that is already escaped. */
export function renderPage(title: string, body: string): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(title)}</title>
<style>${STYLE}</style>
</head>
<body>
<main>
${body}
</main>
</body>
</html>
`
}
