import { COLORS } from '../../pages/layout.js'

export const INBOX_STYLE: string = `
${COLORS}
* { box-sizing: border-box; }
body { margin: 0; padding: 1.5rem 1rem 3rem; background: var(--ground); color: var(--ink); font: 1rem/1.5 system-ui, sans-serif; }
main { max-width: 46rem; margin: 0 auto; }
h1 { font-size: 1.5rem; line-height: 1.25; margin: 0; }
h2 { font-size: 1.0625rem; margin: 2rem 0 .5rem; display: flex; flex-wrap: wrap; gap: 0 .6rem; font-variant-numeric: tabular-nums; }
h2 span, .soft { color: var(--soft); font-weight: 400; }
p { margin: 0; }
.top { display: flex; flex-wrap: wrap; align-items: baseline; justify-content: space-between; gap: .25rem 1rem; margin-bottom: 1rem; }
.tools { display: flex; flex-wrap: wrap; gap: .75rem; align-items: end; }
.tools label { display: grid; font-size: .875rem; color: var(--soft); }
.note { background: var(--note); color: var(--note-ink); border-radius: .5rem; padding: .5rem .75rem; margin: 1rem 0 0; font-size: .9375rem; }
form.note { display: flex; flex-wrap: wrap; align-items: center; gap: .5rem .75rem; }
article { background: var(--card); border: 1px solid var(--line); border-radius: .75rem; padding: .9rem 1rem; margin: 0 0 .6rem; scroll-margin: 1rem; }
article > .text { white-space: pre-wrap; overflow-wrap: anywhere; }
.facts { display: flex; flex-wrap: wrap; gap: .1rem .75rem; margin-top: .5rem; font-size: .875rem; color: var(--soft); }
.facts strong { color: var(--ink); }
.actions { display: flex; flex-wrap: wrap; gap: .5rem; margin-top: .7rem; }
form { margin: 0; }
button, input { font: inherit; color: inherit; background: var(--card); border: 1px solid var(--line); border-radius: .5rem; padding: .35rem .8rem; min-height: 2.25rem; }
button { cursor: pointer; }
button:hover { border-color: var(--accent); }
button.main { background: var(--accent); border-color: var(--accent); color: var(--card); }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
code { font: .875rem/1.4 ui-monospace, monospace; overflow-wrap: anywhere; }
`
