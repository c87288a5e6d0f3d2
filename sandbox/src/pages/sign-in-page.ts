import { escapeHtml } from '../lib/html.js'
import { DENY_KEY, type Person } from '../state/people.js'
import { CONTENT_SECURITY_POLICY, renderPage } from './layout.js'

export interface SignInPageInput {
  readonly people: readonly Person[]
  /** Where the form goes. */
  readonly action: string
  /** The authorization request, carried along in hidden fields. */
  readonly fields: readonly (readonly [name: string, value: string])[]
}

/** The page where one chooses who to be. Plain HTML: works without JavaScript, and for a program that posts forms. */
export function renderSignInPage(input: SignInPageInput): { html: string; contentSecurityPolicy: string } {
  const client = input.fields.find(([name]) => name === 'client_id')?.[1] ?? 'an app'
  const hidden = input.fields.map(
    ([name, value]) => `<input type="hidden" name="${escapeHtml(name)}" value="${escapeHtml(value)}">`,
  )
  const body = `<h1>Sign in with Ppoppo</h1>
<p>to <strong>${escapeHtml(client)}</strong></p>
<p class="note">Test accounts only. Sign in as anyone.</p>
<form method="post" action="${escapeHtml(input.action)}">
${[...hidden, ...input.people.map(personButton)].join('\n')}
<button class="deny" name="person" value="${DENY_KEY}">Deny</button>
</form>`
  return { html: renderPage('Sign in with Ppoppo (sandbox)', body), contentSecurityPolicy: CONTENT_SECURITY_POLICY }
}

function personButton(person: Person): string {
  const note = person.registration === 'unfinished' ? 'registration unfinished' : (person.accountType ?? person.email)
  const ppnum = person.ppnum.replace(/^(\d{3})(\d{4})(\d+)$/, '$1-$2-$3')
  const facts = [ppnum, ...(note === undefined ? [] : [note])].map((fact) => `<span>${escapeHtml(fact)}</span>`)
  const label = `<strong>${escapeHtml(person.label)}</strong>`
  return `<button name="person" value="${escapeHtml(person.key)}">${label}<span class="facts">${facts.join('')}</span></button>`
}
