import { createHash } from 'node:crypto'
import { escapeHtml } from '../../lib/html.js'
import type { InboxMessage } from '../../pcs/state/inbox.js'
import type { Decision } from '../../pcs/state/progress.js'
import { INBOX_SCRIPT } from './inbox-script.js'
import { INBOX_STYLE } from './inbox-style.js'

/** What the page shows. */
export interface Inbox {
  /** Newest first. */
  readonly messages: readonly InboxMessage[]
  /** There are older messages. */
  readonly isCut: boolean
  /** The number to filter by, or an empty text. */
  readonly ppnum: string
  /** Messages wait for a decision. */
  readonly isHeld: boolean
  /** The name of a number, if it is a test number or a test person's. */
  nameOf(ppnum: string): string | undefined
}

const MAX_TEXT = 2_000
const hashOf = (text: string): string => `'sha256-${createHash('sha256').update(text).digest('base64')}'`

/** Allows only the page's own style and script, and requests to this sandbox. */
export const INBOX_POLICY: string = [
  "default-src 'none'",
  `style-src ${hashOf(INBOX_STYLE)}`,
  `script-src ${hashOf(INBOX_SCRIPT)}`,
  "connect-src 'self'",
  "form-action 'self'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join('; ')

export function renderInboxPage(inbox: Inbox): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Inbox (Ppoppo sandbox)</title>
<style>${INBOX_STYLE}</style>
</head>
<body>
<main>
<div class="top"><h1>Inbox</h1><p id="status" class="soft" role="status"></p></div>
<form class="tools" method="get" action="/__sandbox/inbox">
<label>Only this number<input name="to" inputmode="numeric" autocomplete="off" value="${escapeHtml(inbox.ppnum)}"></label>
<button>Show</button>
</form>
<div id="messages">
${renderMessages(inbox)}
</div>
</main>
<script type="module">${INBOX_SCRIPT}</script>
</body>
</html>
`
}

/** The part that changes. */
export function renderMessages(inbox: Inbox): string {
  const { messages, isCut } = inbox
  const people = [...new Set(messages.map(({ ppnum }) => ppnum))]
  const groups = people.map((ppnum) => renderPerson(inbox, ppnum))
  const empty = '<p class="note">Nothing was sent yet. What your app sends appears here as it happens.</p>'
  const more = isCut ? `<p class="note">Only the newest ${messages.length} messages are shown.</p>` : ''
  return [renderHold(inbox), ...(groups.length === 0 ? [empty] : groups), more].join('\n')
}

function renderHold({ isHeld }: Inbox): string {
  const [text, label] = isHeld
    ? ['Messages are held: you decide about each.', 'Deliver automatically']
    : ['Messages are delivered automatically.', 'Hold messages']
  return `<form class="note" method="post" action="/__sandbox/inbox/hold">${text}
<button name="hold" value="${!isHeld}" data-key="hold">${label}</button></form>`
}

function renderPerson({ messages, nameOf }: Inbox, ppnum: string): string {
  const name = nameOf(ppnum)
  const shown = ppnum.replace(/^(\d{3})(\d{4})(\d+)$/, '$1-$2-$3')
  const label = name === undefined ? '' : ` <span>${escapeHtml(name)}</span>`
  const own = messages.filter((message) => message.ppnum === ppnum)
  return `<section>\n<h2>${escapeHtml(shown)}${label}</h2>\n${own.map(renderMessage).join('\n')}\n</section>`
}

const STATES: { readonly [S in InboxMessage['state']]: string } = {
  undecided: 'On its way',
  delivered: 'Delivered',
  pending_consent: 'Waiting for consent',
  failed: 'Failed',
  consent_denied: 'Consent denied',
}

function renderMessage(message: InboxMessage): string {
  const { sendRequestId, templateId, state, acceptedAt, poll } = message
  const answers = poll?.answers.map((option) => `<span>Answered: ${escapeHtml(option)}</span>`) ?? []
  const text = message.text === '' ? 'The template no longer exists.' : message.text.slice(0, MAX_TEXT)
  return `<article data-key="${escapeHtml(keyOf(message))}" tabindex="-1">
<p class="text">${escapeHtml(text)}</p>
<p class="facts"><strong>${STATES[state]}</strong>${answers.join('')}<time datetime="${escapeHtml(acceptedAt)}">${escapeHtml(acceptedAt.slice(11, 19))} UTC</time><code>${escapeHtml(templateId)}</code><code>${escapeHtml(sendRequestId)}</code></p>
${actionsFor(message)}</article>`
}

const DECIDE: { readonly [S in InboxMessage['state']]?: readonly (readonly [Decision, string])[] } = {
  undecided: [
    ['deliver', 'Deliver'],
    ['fail', 'Fail'],
    ['ask-consent', 'Ask for consent'],
  ],
  pending_consent: [
    ['grant', 'Grant consent'],
    ['deny', 'Deny consent'],
  ],
}

function actionsFor(message: InboxMessage): string {
  const decisions = (DECIDE[message.state] ?? []).map(([decision, label]) =>
    button(message, ['decision', decision], label),
  )
  const isAnswerable = message.state === 'delivered' && message.poll?.answers.length === 0
  const answers = isAnswerable ? message.poll.options.map((option) => button(message, ['option', option], option)) : []
  const [path, buttons] = decisions.length > 0 ? ['decide', decisions] : ['answer', answers]
  if (buttons.length === 0) return ''
  const hidden = (['sendRequestId', 'ppnum'] as const).map(
    (name) => `<input type="hidden" name="${name}" value="${escapeHtml(message[name])}">`,
  )
  return `<form class="actions" method="post" action="/__sandbox/inbox/${path}">${[...hidden, ...buttons].join('')}</form>\n`
}

function button(message: InboxMessage, [name, value]: readonly [string, string], label: string): string {
  const key = escapeHtml(`${keyOf(message)}/${value}`)
  return `<button name="${name}" value="${escapeHtml(value)}" data-key="${key}">${escapeHtml(label)}</button>`
}

function keyOf({ sendRequestId, ppnum }: InboxMessage): string {
  return `${sendRequestId}/${ppnum}`
}
