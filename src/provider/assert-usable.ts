import { PpoppoError } from '../errors.js'
import type { DiscoveredProvider } from './discovery.js'
import { ProviderRefusal } from './faults.js'
import { ACCEPTED_CURVES } from './signature-algorithms.js'

/**
 * Checks that people can sign in at the PAS that was found: it publishes keys, and at least one is for id_tokens.
 * @throws what fetching the keys throws; `provider_misconfigured`, `provider_response_invalid`
 */
export async function assertUsable(issuer: string, { keys, isAnnounced, server }: DiscoveredProvider): Promise<void> {
  try {
    if (await keys.hasUsableKey()) return
  } catch (error) {
    if (isAnnounced || !(error instanceof ProviderRefusal)) throw error
    throw new PpoppoError(
      'provider_misconfigured',
      `PAS at ${issuer} has no discovery document (HTTP 404), and no keys at ${server.jwks_uri} (HTTP ${error.httpStatus}). Check PPOPPO_AUTH_URL: something else seems to answer there.`,
    )
  }
  throw new PpoppoError(
    'provider_response_invalid',
    `PAS at ${issuer} publishes no ${ACCEPTED_CURVES.join(' or ')} key: no id_token could be verified. Check PPOPPO_AUTH_URL, or ask Ppoppo.`,
  )
}
