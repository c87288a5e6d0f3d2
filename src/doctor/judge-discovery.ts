import type { Config } from '../config/options.js'
import { parseUrl } from '../config/urls.js'
import { CLOCK_TOLERANCE_SECONDS } from '../provider/id-token.js'
import { SIGNATURE_ALGORITHMS } from '../provider/signature-algorithms.js'
import { finding } from './finding.js'
import type { Finding } from './types.js'

type Document = Readonly<Record<string, unknown>>

/** What a discovery document says about PAS, compared with the configuration. */
export function judgeDiscovery(document: Document, config: Pick<Config, 'issuer'>): readonly Finding[] {
  return [
    judgeIssuer(document['issuer'], config.issuer),
    ...judgePkce(document['code_challenge_methods_supported']),
    ...judgeAlgorithms(document['id_token_signing_alg_values_supported']),
  ]
}

function judgeIssuer(announced: unknown, issuer: string): Finding {
  if (announced === issuer) return finding('issuer', { what: `PAS announces the configured issuer, ${issuer}` })
  const shown = parseUrl(announced)?.href !== undefined ? String(announced).slice(0, 200) : undefined
  return finding('issuer_mismatch', {
    what: `PAS announces ${shown ?? 'something that is not a URL'} as its issuer, but the configuration says ${issuer}`,
    why: `${differenceBetween(shown, issuer)} The two must be the same, character for character (OIDC Discovery 4.3).`,
    fix: `Set PPOPPO_AUTH_URL to ${shown ?? 'the URL of PAS'}, if that is your PAS.`,
  })
}

function differenceBetween(announced: string | undefined, issuer: string): string {
  if (announced === undefined) return ''
  const bare = (url: string): string => url.replace(/\/$/, '')
  if (bare(announced) === bare(issuer)) return 'They differ by a trailing slash.'
  if (announced.toLowerCase() === issuer.toLowerCase()) return 'They differ in upper and lower case.'
  const rest = (url: string): string => url.replace(/^https?:/i, '')
  if (rest(announced) === rest(issuer)) return 'One is http and the other is https.'
  return 'They are different addresses.'
}

/** A server that lists no methods says nothing about them (RFC 8414 2). */
function judgePkce(methods: unknown): readonly Finding[] {
  if (!Array.isArray(methods) || methods.includes('S256')) {
    return [
      finding('pkce', { what: Array.isArray(methods) ? 'S256 is supported' : 'not announced; sign-in uses S256' }),
    ]
  }
  return [
    finding('pkce_unsupported', {
      what: 'PAS announces PKCE methods, but not S256',
      why: 'The library sends S256 only, since "plain" protects nothing.',
      fix: 'Check that PPOPPO_AUTH_URL points to Ppoppo; otherwise ask Ppoppo.',
    }),
  ]
}

function judgeAlgorithms(algorithms: unknown): readonly Finding[] {
  const ours = SIGNATURE_ALGORITHMS.map(({ alg }) => alg)
  if (!Array.isArray(algorithms) || ours.some((one) => algorithms.includes(one))) return []
  return [
    finding('id_token_algorithm', {
      what: `PAS signs id_tokens with none of ${ours.join(', ')}`,
      why: 'No other signature is accepted, so nobody could sign in.',
      fix: 'Check that PPOPPO_AUTH_URL points to Ppoppo; otherwise ask Ppoppo.',
    }),
  ]
}

/** Compares PAS's clock with ours. An id_token is refused beyond a minute. */
export function judgeProviderClock(aheadSeconds: number | undefined): readonly Finding[] {
  if (aheadSeconds === undefined) return []
  const seconds = Math.abs(aheadSeconds)
  if (seconds <= 5) return [finding('provider_clock', { what: 'its clock agrees with that of this machine' })]
  const isTooMuch = seconds > CLOCK_TOLERANCE_SECONDS
  return [
    finding(isTooMuch ? 'provider_clock_wrong' : 'provider_clock_off', {
      what: `PAS's clock is ${seconds} s ${aheadSeconds > 0 ? 'ahead of' : 'behind'} that of this machine`,
      why: `An id_token is refused when they differ by more than ${CLOCK_TOLERANCE_SECONDS} s.`,
      fix: 'Set the clock of this machine with NTP (chrony, systemd-timesyncd); a virtual machine loses time while it is suspended.',
    }),
  ]
}
