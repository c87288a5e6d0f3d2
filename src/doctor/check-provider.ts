import { isPpoppoError, type PpoppoError } from '../errors.js'
import { parseJsonObject } from '../lib/guards.js'
import { createProvider, type Provider } from '../provider/provider.js'
import { type AskParts, get, type TimedAnswer, Unreachable } from './ask-provider.js'
import type { FindingCode } from './catalogue.js'
import { checkCallback } from './check-callback.js'
import { causesIn } from './config-faults.js'
import { errorsIn, finding, notChecked } from './finding.js'
import { judgeDiscovery, judgeProviderClock } from './judge-discovery.js'
import type { DoctorSetup } from './setup.js'
import type { Finding } from './types.js'

/** What the checks of PAS need. */
export interface CheckProviderParts extends Omit<AskParts, 'config'> {
  readonly setup: DoctorSetup
}

/** Checks PAS, and that it knows the client and its callback. */
export async function checkProvider({ setup, runtime, timeoutMs }: CheckProviderParts): Promise<readonly Finding[]> {
  const { config } = setup
  const invalid = causesIn(setup, ['issuer', 'environment'])
  if (invalid.length > 0) {
    return [notChecked('provider_not_checked', 'PAS, and the registration of the callback', invalid)]
  }
  const closing = new AbortController()
  // openid-client takes no empty id; the keys can be read without one.
  const named = config.clientId === '' ? { ...config, clientId: 'unknown' } : config
  const provider = createProvider({ config: named, runtime, closed: closing.signal, raise: () => {} })
  try {
    const first = await checkDiscovery({ config, runtime, timeoutMs }, config.issuer)
    const keys = errorsIn(first).length > 0 ? [] : await checkKeys(provider, timeoutMs)
    const found = [...first, ...keys]
    const failed = [...errorsIn(found), ...causesIn(setup, OF_THE_REQUEST)]
    // These faults do not keep PAS from starting a sign-in.
    const causes = failed.filter((code) => !LATER_FAULTS.includes(code))
    if (causes.length > 0)
      return [...found, notChecked('callback_not_checked', 'whether the callback is registered', causes)]
    return [...found, ...(await checkCallback({ config, runtime, timeoutMs, provider }))]
  } finally {
    closing.abort()
  }
}

const LATER_FAULTS: readonly FindingCode[] = [
  'id_token_keys_missing',
  'id_token_algorithm',
  'provider_clock_wrong',
  'pkce_unsupported',
]

/** Options that an authorization request is made of. */
const OF_THE_REQUEST = ['clientId', 'baseUrl', 'scope', 'mountPath', 'basePath', 'resource', 'authorizationParams']

async function checkDiscovery(parts: AskParts, issuer: string): Promise<readonly Finding[]> {
  try {
    const { pathname, origin } = new URL(issuer)
    const answer = await get(`${origin}${pathname.replace(/\/$/, '')}/.well-known/openid-configuration`, parts)
    const clock = judgeProviderClock(answer.aheadSeconds)
    const document = answer.status === 200 ? parseJsonObject(answer.body) : undefined
    if (document === undefined) return [judgeOther(answer, issuer), ...clock]
    return [finding('provider', { what: `${issuer} answers` }), ...judgeDiscovery(document, { issuer }), ...clock]
  } catch (error) {
    if (!(error instanceof Unreachable)) throw error
    return [
      finding('provider_unreachable', {
        what: `PAS at ${issuer} cannot be reached`,
        why: error.message,
        fix: error.todo,
      }),
    ]
  }
}

/** Something answers, but not with a discovery document. */
function judgeOther({ status }: TimedAnswer, issuer: string): Finding {
  if (status === 404) {
    return finding('discovery_missing', {
      what: `PAS at ${issuer} has no discovery document (HTTP 404)`,
      why: 'The documented endpoints are used; sign-out at PAS and revocation are not announced.',
      fix: 'Check PPOPPO_AUTH_URL, including its path; otherwise ask Ppoppo.',
    })
  }
  if (status >= 500 || status === 429 || status === 408) {
    return finding('provider_failing', {
      what: `PAS at ${issuer} answers with HTTP ${status}`,
      fix: 'Try again later; if it does not pass, ask Ppoppo, or look at the proxy in front of it.',
    })
  }
  return finding('provider_stranger', {
    what: `what answers at ${issuer} is not PAS`,
    why: `Its discovery document is ${status === 200 ? 'not JSON' : `HTTP ${status}`}.`,
    fix: 'Check PPOPPO_AUTH_URL: scheme, host, port and path. A login page of your network can answer there, too.',
  })
}

/** Whether an id_token could be verified. */
async function checkKeys(provider: Provider, timeoutMs: number): Promise<readonly Finding[]> {
  try {
    // Each of its two requests has a deadline of its own.
    await provider.check()
    return [finding('id_token_keys', { what: 'it publishes a key for id_tokens' })]
  } catch (error) {
    if (!isPpoppoError(error)) throw error
    return [toKeysFinding(error, timeoutMs)]
  }
}

function toKeysFinding({ code, message }: PpoppoError, timeoutMs: number): Finding {
  if (code === 'provider_unavailable') {
    const what = `the keys of PAS could not be read within ${timeoutMs} ms`
    return finding('provider_failing', { what, why: message, fix: 'Try again later; if it does not pass, ask Ppoppo.' })
  }
  if (code === 'provider_misconfigured') {
    return finding('provider_stranger', {
      what: 'what answers is not PAS',
      why: message,
      fix: 'Check PPOPPO_AUTH_URL.',
    })
  }
  return finding('id_token_keys_missing', {
    what: 'PAS publishes no key that could verify an id_token',
    why: message,
    fix: 'Check that PPOPPO_AUTH_URL points to Ppoppo; otherwise ask Ppoppo.',
  })
}
