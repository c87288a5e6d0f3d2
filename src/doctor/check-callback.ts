import type { Config } from '../config/options.js'
import { isPpoppoError } from '../errors.js'
import { parseJsonObject } from '../lib/guards.js'
import { randomToken } from '../lib/runtime.js'
import type { Provider } from '../provider/provider.js'
import { type AskParts, get, type TimedAnswer, Unreachable } from './ask-provider.js'
import { finding } from './finding.js'
import type { Finding } from './types.js'

/** What the check of the callback needs. */
export interface CheckCallbackParts extends AskParts {
  readonly config: Config
  readonly provider: Provider
}

/** How PAS responded to an authorization request: accepted, an OAuth error, or an answer that says neither. */
type Verdict =
  | { readonly kind: 'accepted' }
  | { readonly kind: 'refused'; readonly error: string }
  | { readonly kind: 'unclear'; readonly why: string }

/**
 * Sends one authorization request, as a browser would, and looks at what PAS does with it: a sign-in page, or a redirect to one
 * or to the callback, means that client and callback are registered. Nobody signs in, and nothing is stored.
 */
export async function checkCallback(parts: CheckCallbackParts): Promise<readonly Finding[]> {
  const { config } = parts
  try {
    const verdict = await request(parts, config.clientId)
    if (verdict.kind === 'accepted') {
      return [finding('callback', { what: `${config.redirectUri} is registered, and the client is known` })]
    }
    if (verdict.kind === 'unclear') return [unclear(verdict.why)]
    return [await judgeRefusal(verdict.error, parts)]
  } catch (error) {
    if (error instanceof Unreachable) return [unclear(error.message)]
    if (isPpoppoError(error)) return [unclear(error.message)]
    throw error
  }
}

async function request({ provider, ...parts }: CheckCallbackParts, clientId: string): Promise<Verdict> {
  const { config, runtime } = parts
  const toUrl = await provider.prepareAuthorization()
  const url = toUrl({
    state: randomToken(runtime, 256),
    nonce: randomToken(runtime, 256),
    codeVerifier: randomToken(runtime, 256),
    // A function is left out: it needs a request.
    ...(typeof config.authorizationParams === 'object' ? { params: config.authorizationParams } : {}),
  })
  url.searchParams.set('client_id', clientId)
  return judge(await get(url.href, parts), config.redirectUri)
}

/** PAS sends an error to a callback only if that is registered; otherwise it shows a page or answers with JSON. */
function judge({ status, headers, body }: TimedAnswer, redirectUri: string): Verdict {
  const location = headers.get('location') ?? ''
  if (status >= 300 && status < 400 && location !== '') {
    const target = URL.canParse(location) ? new URL(location) : undefined
    const error = target?.searchParams.get('error') ?? ''
    const isCallback = target !== undefined && `${target.origin}${target.pathname}` === redirectUri
    if (error === '' || (isCallback && ABOUT_THE_PERSON.includes(error))) return { kind: 'accepted' }
    return { kind: 'refused', error: toCode(error) }
  }
  if (status >= 200 && status < 300) return { kind: 'accepted' }
  const error = parseJsonObject(body)?.['error'] ?? KNOWN_ERRORS.find((code) => body.includes(code))
  if (typeof error === 'string' && status < 500) return { kind: 'refused', error: toCode(error) }
  return { kind: 'unclear', why: `PAS answers with HTTP ${status} and names no error.` }
}

/** RFC 6749 4.1.2.1, and PAS's own. */
const KNOWN_ERRORS = [
  'invalid_redirect_uri',
  'invalid_client',
  'unauthorized_client',
  'invalid_scope',
  'invalid_request',
] as const

/** Errors about the person, who is not signed in or declined: the request itself was valid. */
const ABOUT_THE_PERSON: readonly string[] = [
  'access_denied',
  'account_setup_required',
  'login_required',
  'interaction_required',
  'consent_required',
  'account_selection_required',
]

function isAboutClient(error: string): boolean {
  return error === 'invalid_client' || error === 'unauthorized_client'
}

function toCode(error: string): string {
  return /^[\w.:-]{1,64}$/.test(error) ? error : 'an unreadable error'
}

async function judgeRefusal(error: string, parts: CheckCallbackParts): Promise<Finding> {
  const { config } = parts
  if (error === 'invalid_redirect_uri') {
    return finding('callback_not_registered', {
      what: `${config.redirectUri} is not registered for this client`,
      why: 'PAS compares it character for character, and answers invalid_redirect_uri.',
      fix: 'Register exactly this URL at Ppoppo; or, if another one is registered, set PPOPPO_BASE_URL and "mountPath" so that together they give that one.',
    })
  }
  if (isAboutClient(error)) return (await isSwapped(parts)) ? swapped() : unknownClient(error)
  if (error === 'invalid_scope') {
    return finding('scope_unknown', {
      what: `PAS does not allow this client the scope "${config.scope.join(' ').slice(0, 200)}"`,
      fix: 'Set PPOPPO_SCOPE to what the client is registered for. PAS knows openid, profile, email, messaging and poll.',
    })
  }
  return finding('authorization_refused', {
    what: `PAS refuses to start a sign-in: ${error}`,
    fix: 'Check "authorizationParams" and "resource", if the app sets them; otherwise ask Ppoppo.',
  })
}

/** Whether PAS accepts the other client's id for a sign-in. Its secret is not sent. */
async function isSwapped(parts: CheckCallbackParts): Promise<boolean> {
  const other = parts.config.messaging.credentials?.clientId
  if (other === undefined || other === parts.config.clientId) return false
  const verdict = await request(parts, other)
  return verdict.kind === 'accepted' || (verdict.kind === 'refused' && !isAboutClient(verdict.error))
}

function swapped(): Finding {
  return finding('clients_swapped', {
    what: 'PPOPPO_CLIENT_ID and PAS_PCS_CLIENT_ID are swapped',
    why: 'PAS does not know the first as a login client, but knows the second.',
    fix: 'Set PPOPPO_CLIENT_ID to the login client, PAS_PCS_CLIENT_ID and PAS_PCS_CLIENT_SECRET to the External API client.',
  })
}

function unknownClient(error: string): Finding {
  return finding('client_unknown', {
    what: 'PAS does not know the client in PPOPPO_CLIENT_ID',
    why: `It answers ${error}.`,
    fix: 'Check PPOPPO_CLIENT_ID, that PPOPPO_ENVIRONMENT is the one it was registered in, and that Ppoppo has approved the app.',
  })
}

function unclear(why: string): Finding {
  return finding('callback_unclear', {
    what: 'could not find out whether the callback is registered',
    why,
    fix: 'Try again later, or sign in with a browser.',
  })
}
