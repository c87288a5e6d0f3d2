import type { ServerMetadata } from 'openid-client'
import { isPlainObject } from '../lib/guards.js'
import { PPNUM } from '../ppnum.js'
import { ANSWER_BOUNDS, Answer } from './answers.js'

/** The endpoints of a discovery document (OIDC Discovery 3, RFC 7009, RP-Initiated Logout). */
export const ENDPOINTS = [
  'authorization_endpoint',
  'token_endpoint',
  'userinfo_endpoint',
  'jwks_uri',
  'end_session_endpoint',
  'revocation_endpoint',
] as const

/** RFC 9207 3: `iss` comes with every authorization response. */
export const SENDS_ISSUER = 'authorization_response_iss_parameter_supported'

/** Which `prompt` values there are (Initiating User Registration 1.0). */
export const PROMPTS = 'prompt_values_supported'

const URL_FORM = { atMost: ANSWER_BOUNDS.url, pattern: /^[\x21-\x7e]+$/, form: 'a URL' }
/** RFC 6750 2.1: what an Authorization header may contain. */
const ACCESS_TOKEN_FORM = { atMost: ANSWER_BOUNDS.token, pattern: /^[\x21-\x7e]+$/, form: 'visible ASCII' }
/** RFC 6749 A.17. */
const REFRESH_TOKEN_FORM = { atMost: ANSWER_BOUNDS.token, pattern: /^[\x20-\x7e]+$/, form: 'printable ASCII' }
const SCOPE_FORM = { atMost: ANSWER_BOUNDS.scope, pattern: /^[\x20-\x7e]+$/, form: 'printable ASCII' }

const PPNUM_FORM = { atMost: ANSWER_BOUNDS.ppnum, pattern: PPNUM, form: '11 digits or more' }
const WORD_FORM = { atMost: ANSWER_BOUNDS.word, pattern: /^[\w.:-]+$/, form: 'a word' }

/** Drops `undefined` members: for `exactOptionalPropertyTypes`, and in JSON, they differ from absent ones. */
function present<T extends object>(members: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  const entries = Object.entries(members).filter(([, value]) => value !== undefined)
  return Object.fromEntries(entries) as { [K in keyof T]?: Exclude<T[K], undefined> }
}

/**
 * The members of a discovery document that we use; all others are ignored.
 * @throws `provider_response_invalid` naming the member; so do all readers here.
 */
export function readDiscovery(body: unknown): ServerMetadata {
  const answer = new Answer('discovery document', body)
  const endpoints = ENDPOINTS.map((name) => [name, answer.text(name, URL_FORM)] as const)
  return {
    issuer: answer.requiredText('issuer', URL_FORM),
    ...present(Object.fromEntries(endpoints)),
    ...present({ [SENDS_ISSUER]: answer.boolean(SENDS_ISSUER), [PROMPTS]: promptsOf(answer.value(PROMPTS)) }),
  }
}

/** A list of words. An invalid one counts as absent, because it only helps to choose a `prompt`. */
function promptsOf(value: unknown): string[] | undefined {
  if (!Array.isArray(value)) return undefined
  return value.slice(0, 50).filter((one): one is string => typeof one === 'string' && one.length <= ANSWER_BOUNDS.word)
}

/** We pass the id_token of a token answer under this name, so that openid-client leaves its verification to us. */
export const ID_TOKEN = 'id_token_to_verify'

/** Success of the token endpoint (RFC 6749 5.1). */
export function readTokenAnswer(body: unknown): object {
  const answer = new Answer('token answer', body)
  const scope = answer.value('scope')
  return present({
    access_token: answer.requiredText('access_token', ACCESS_TOKEN_FORM),
    token_type: answer.requiredText('token_type', {
      atMost: ANSWER_BOUNDS.word,
      pattern: /^bearer$/i,
      form: 'Bearer',
    }),
    expires_in: answer.number('expires_in', ANSWER_BOUNDS.expiresInSeconds),
    refresh_token: answer.text('refresh_token', REFRESH_TOKEN_FORM),
    // Absent means "as asked"; an empty one grants nothing.
    scope: scope === '' ? '' : answer.text('scope', SCOPE_FORM),
    [ID_TOKEN]: answer.text('id_token', { atMost: ANSWER_BOUNDS.idToken }),
  })
}

/** A refusal (RFC 6749 5.2): only its error code is read, and only if it is valid. */
export function readRefusal(body: unknown): object {
  const error = isPlainObject(body) ? body['error'] : undefined
  return typeof error === 'string' && error !== '' ? { error } : {}
}

/** What userinfo returns about a person (*Sign-in reference*, "UserInfo endpoint"), under PAS's own names. */
export function readUserInfo(body: unknown): object {
  const answer = new Answer('userinfo answer', body)
  return present({
    sub: answer.requiredText('sub', { atMost: ANSWER_BOUNDS.word }),
    ppnum: answer.requiredText('ppnum', PPNUM_FORM),
    email: answer.text('email', { atMost: ANSWER_BOUNDS.email, pattern: /^\P{Cc}+$/u }),
    email_verified: answer.boolean('email_verified'),
    created_at: answer.requiredText('created_at', { atMost: ANSWER_BOUNDS.word }),
    // The seed documents call it `account_type`; newer crates send `entity_type`.
    account_type: answer.text('account_type', WORD_FORM) ?? answer.text('entity_type', WORD_FORM),
  })
}

/** The keys of a key set, without members that are `null`. Some may not be usable: each is checked later. */
export function readKeySet(body: unknown): readonly Record<string, unknown>[] {
  const keys = new Answer('key set', body).objects('keys', ANSWER_BOUNDS.keys)
  return keys.map((key) => Object.fromEntries(Object.entries(key).filter(([, value]) => value !== null)))
}
