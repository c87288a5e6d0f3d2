import { hash } from 'node:crypto'

/**
 * The stylesheet of all pages: neutral colours, system fonts, light and dark, 320 px and wider. It is inline, and allowed
 * by its hash, so that a page needs no second request while everything else is down.
 */
export const PAGE_STYLE: string = `
:root{color-scheme:light dark;--ground:#f4f5f7;--card:#fff;--ink:#191d23;--soft:#545c68;--line:#dfe2e7;--fill:#191d23;--on-fill:#fff;--hover:#353c47;--focus:#1f5fd6;--note:#f4f5f7}
@media (prefers-color-scheme:dark){:root{--ground:#101216;--card:#191c22;--ink:#eceef1;--soft:#a8b0bb;--line:#31363f;--fill:#eceef1;--on-fill:#15181d;--hover:#fff;--focus:#8ab4ff;--note:#22262e}}
*{box-sizing:border-box}
html{-webkit-text-size-adjust:100%;text-size-adjust:100%}
body{margin:0;min-height:100vh;min-height:100svh;display:flex;flex-direction:column;align-items:center;justify-content:center;padding:24px 16px;background:var(--ground);color:var(--ink);font:16px/1.6 system-ui,-apple-system,"Segoe UI",Roboto,"Apple SD Gothic Neo","Malgun Gothic","Noto Sans KR","Noto Sans CJK KR",sans-serif;overflow-wrap:break-word}
:lang(ko){word-break:keep-all}
main{width:100%;max-width:464px;padding:40px;background:var(--card);border:1px solid var(--line);border-radius:16px}
.site{display:inline-block;margin:-8px 0 20px;color:var(--soft);font-size:14px;font-weight:600;text-underline-offset:.2em}
.mark{display:block;margin:0 0 20px;color:var(--soft)}
h1{margin:0 0 12px;font-size:24px;line-height:1.3;font-weight:650;letter-spacing:-.01em;text-wrap:balance}
p{margin:0 0 12px}
.todo{color:var(--soft)}
.note{margin:20px 0 0;padding:12px 16px;background:var(--note);border-radius:10px;font-size:14px;line-height:1.55}
.note strong{display:block;font-weight:600}
.note p,.note ul{margin:2px 0 0;color:var(--soft);overflow-wrap:anywhere;white-space:pre-line}
.note ul{padding:0;list-style:none;white-space:normal}
code{font:13px/1.5 ui-monospace,SFMono-Regular,Menlo,Consolas,monospace}
.actions{display:flex;flex-wrap:wrap;gap:12px;margin:28px 0 0}
.button{display:inline-flex;align-items:center;justify-content:center;flex:1 1 auto;min-height:48px;padding:10px 20px;border:1px solid var(--fill);border-radius:10px;background:var(--fill);color:var(--on-fill);font:inherit;font-weight:600;line-height:1.3;text-align:center;text-decoration:none;cursor:pointer}
.button:hover{background:var(--hover);border-color:var(--hover)}
.quiet{background:transparent;border-color:var(--soft);color:var(--ink)}
.quiet:hover{background:var(--note);border-color:var(--line)}
.choice{display:flex;gap:10px;align-items:flex-start;margin:20px 0 0;cursor:pointer}
.choice input{flex:none;width:20px;height:20px;margin:3px 0 0;accent-color:var(--fill)}
:focus-visible{outline:3px solid var(--focus);outline-offset:2px}
footer{margin:24px 0 0;padding:16px 0 0;border-top:1px solid var(--line);color:var(--soft);font-size:13px;overflow-wrap:anywhere}
@media (max-width:480px){body{padding:16px 12px}main{padding:28px 20px}h1{font-size:22px}.button{flex-basis:100%}}
@media (forced-colors:active){.button{border-color:ButtonText}}
`.trim()

/** The only source that `style-src` allows: this stylesheet. */
export const PAGE_STYLE_SOURCE: string = `'sha256-${hash('sha256', PAGE_STYLE, 'base64')}'`
