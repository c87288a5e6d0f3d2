import { PpoppoError } from '../errors.js'
import type { DiscoveredProvider } from './discovery.js'
import { ProviderRefusal } from './faults.js'

/**
 * Sees that what was found is a PAS that people can be signed in at: it publishes keys, and one of them is for id_tokens.
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
    `PAS at ${issuer} publishes no Ed25519 key: no id_token could be verified. Check PPOPPO_AUTH_URL, or ask Ppoppo.`,
  )
}
