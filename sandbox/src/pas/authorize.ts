import type { Grant, interactionPolicy } from 'oidc-provider'
import { PATHS, SCOPES } from '../endpoints.js'
import { isCallbackFault } from '../faults/fault.js'
import { renderSignInPage } from '../pages/sign-in-page.js'
import { DENY_KEY } from '../state/people.js'
import type { SandboxState } from '../state/sandbox-state.js'
import type { Context, Middleware } from './middleware.js'
import type { OidcModule } from './oidc-module.js'

const REMEMBER_COOKIE = 'ppoppo_sandbox_person'
const ASKS_AGAIN = ['login', 'select_account']

/**
 * Decides who signs in. oidc-provider runs it after client, redirect URI and PKCE have been checked and before it
 * looks for an account, so there is no session of its own and no cookie: each request stands alone.
 */
export function choosePerson(state: SandboxState, oidc: OidcModule) {
  const { AccessDenied, CustomOIDCProviderError } = oidc.errors
  return async (ctx: Context, pressed: string | undefined): Promise<void> => {
    assertScope(ctx, oidc)
    const key = state.switches.autoSignIn ?? (ctx.method === 'POST' ? pressed : undefined) ?? remembered(state, ctx)
    if (key === undefined) return
    if (key === DENY_KEY) throw new AccessDenied('the person refused')
    const person = state.people.byKey(key)
    if (person === undefined) throw new oidc.errors.InvalidRequest(`there is no person "${key}" in this sandbox`)
    if (person.registration === 'unfinished') {
      throw new CustomOIDCProviderError('account_setup_required', 'the person has not finished registering with Ppoppo')
    }
    ctx.oidc.session?.loginAccount({ accountId: person.sub, transient: true })
  }
}

function assertScope(ctx: Context, { errors }: OidcModule): void {
  // As it was sent: oidc-provider drops unknown scopes from its own copy, and PAS refuses them.
  const { scope } = ctx.method === 'POST' ? (ctx.oidc.body ?? {}) : ctx.query
  if (typeof scope !== 'string') throw new errors.InvalidRequest('scope is required')
  const unknown = scope.split(' ').find((name) => !SCOPES.some((known) => known === name))
  if (unknown !== undefined) throw new errors.InvalidScope('there is no such scope', unknown)
}

function remembered(state: SandboxState, ctx: Context): string | undefined {
  if (!state.switches.rememberBrowser || ASKS_AGAIN.some((prompt) => ctx.oidc.prompts.has(prompt))) return undefined
  const key = ctx.cookies.get(REMEMBER_COOKIE)
  return key !== undefined && state.people.byKey(key) !== undefined ? key : undefined
}

/** Ask whenever nobody was chosen. `prompt` values are accepted; the page is shown each time anyway. */
export function signInPolicy({ interactionPolicy: { Check, Prompt } }: OidcModule): interactionPolicy.Prompt[] {
  const noPerson = new Check('no_person', 'somebody has to sign in', (ctx) => ctx.oidc.session?.accountId === undefined)
  const names = ['login', 'consent', 'select_account']
  const prompts = names.map((name) => new Prompt({ name, requestable: true }, ...(name === 'login' ? [noPerson] : [])))
  for (const prompt of prompts) prompt.checks.remove(`${prompt.name}_prompt`)
  return prompts
}

/** Grants everything that was requested. Each sign-in has its own grant, so that one can be revoked without the others. */
export async function openGrant(state: SandboxState, ctx: Context): Promise<Grant | undefined> {
  const { provider, client, account, params = {} } = ctx.oidc
  if (client === undefined || account === undefined) return undefined
  const grant = new provider.Grant({ accountId: account.accountId, clientId: client.clientId })
  grant.addOIDCScope(String(params['scope']))
  const grantId = await grant.save()
  state.ledger.recordSignIn(grantId, {
    sub: account.accountId,
    clientId: client.clientId,
    authTime: Math.floor(Date.now() / 1000),
    ...(typeof params['resource'] === 'string' && { resource: params['resource'] }),
  })
  return grant
}

/** Turns oidc-provider's redirect to a sign-in page into the page, and its answer into PAS's. */
export function dressAuthorization(state: SandboxState): Middleware {
  return async (ctx, next) => {
    await next()
    if (ctx.path !== PATHS.authorize) return
    // Cookies of localhost reach every port: one of ours would end up in the app under test.
    ctx.remove('Set-Cookie')
    if (ctx.response.get('Location') === '/sign-in') return showSignInPage(state, ctx)
    const location = ctx.response.get('Location')
    if (!URL.canParse(location)) return
    const url = new URL(location)
    recordCode(state, ctx, url)
    if (!state.switches.sendIssuerParameter) url.searchParams.delete('iss')
    const fault = state.faults.draw(ctx.req, 'authorize', (rule) => isCallbackFault(rule.fault))
    if (fault?.kind === 'wrong-state') url.searchParams.set('state', 'not-the-state-that-was-sent')
    if (fault?.kind === 'callback-error') {
      url.searchParams.delete('code')
      url.searchParams.set('error', fault.error ?? 'server_error')
      url.searchParams.set('error_description', fault.errorDescription ?? 'requested by a fault')
    }
    ctx.set('Location', url.href)
    ctx.body = ''
  }
}

function showSignInPage(state: SandboxState, ctx: Context): void {
  const { prompt: _asked, person: _pressed, ...params } = ctx.oidc.params ?? {}
  const fields = Object.entries(params).filter((entry): entry is [string, string] => typeof entry[1] === 'string')
  ctx.remove('Location')
  ctx.status = 200
  ctx.type = 'html'
  const page = renderSignInPage({ people: state.people.all, action: PATHS.authorize, fields })
  // No form-action: Chrome applies it to the redirect after the POST too, and that goes to the app.
  ctx.set('Content-Security-Policy', page.contentSecurityPolicy)
  ctx.set('Referrer-Policy', 'same-origin')
  ctx.set('Cache-Control', 'no-store')
  ctx.body = page.html
}

function recordCode(state: SandboxState, ctx: Context, url: URL): void {
  const { account } = ctx.oidc
  const code = url.searchParams.get('code')
  if (code === null || account === undefined) return
  state.ledger.recordIssued({ kind: 'code', value: code, sub: account.accountId })
  if (!state.switches.rememberBrowser) return
  const key = state.people.bySub(account.accountId)?.key ?? ''
  ctx.set('Set-Cookie', `${REMEMBER_COOKIE}=${key}; Path=${PATHS.authorize}; HttpOnly; SameSite=Lax`)
}
