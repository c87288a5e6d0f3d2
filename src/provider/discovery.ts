import { allowInsecureRequests, Configuration, customFetch, discovery, None, type ServerMetadata } from 'openid-client'
import type { Config } from '../config/options.js'
import { PpoppoError } from '../errors.js'
import type { Runtime } from '../lib/runtime.js'
import { SingleFlight } from '../lib/single-flight.js'
import { toProviderError } from './faults.js'
import { fetchKeys } from './fetch-keys.js'
import { type AskProvider, toFetch } from './http.js'
import { createKeySet, type KeySet } from './key-set.js'
import { ENDPOINTS, readDiscovery, readTokenAnswer, readUserInfo, SENDS_ISSUER } from './read-answers.js'

/** PAS as it was found. */
export interface DiscoveredProvider {
  /** As announced, or as documented. */
  readonly server: ServerMetadata
  /** Whether PAS has a discovery document. */
  readonly isAnnounced: boolean
  /** openid-client's configurations, by what they ask. */
  readonly clients: Readonly<Record<'token' | 'userinfo' | 'other', Configuration>>
  readonly keys: KeySet
}

const FRESH_MS = 60 * 60_000
const FALLBACK_FRESH_MS = 60_000

/** What finds PAS. */
export type Discovery = (options?: {
  /** PAS must have answered within this time, in milliseconds; else it is asked, and its failure is the caller's. */
  readonly seenWithinMs?: number
}) => Promise<DiscoveredProvider>

/** What discovery needs. */
export interface DiscoveryParts {
  readonly config: Pick<Config, 'clientId' | 'issuer'>
  readonly ask: AskProvider
  readonly runtime: Runtime
}

/**
 * Discovery: on first use, one call at a time, kept for an hour and then renewed in the background of the old one. PAS
 * down is an error now and no memory of it. A 404 means a PAS without the document: the documented endpoints are taken.
 */
export function createDiscovery({ config, ask, runtime }: DiscoveryParts): Discovery {
  const flights = new SingleFlight<DiscoveredProvider>()
  /** Configuration lets http through on loopback only. */
  const isHttp = new URL(config.issuer).protocol === 'http:'
  let known: Known | undefined

  async function discover(): Promise<DiscoveredProvider> {
    const found = await fetchMetadata()
    const text = JSON.stringify(found)
    // The same answer as before keeps what hangs on it: the key set that was fetched.
    const provider = known?.text === text ? known.provider : configure(found)
    const now = runtime.monotonic()
    known = { provider, text, seenAt: now, freshUntil: now + (found.isAnnounced ? FRESH_MS : FALLBACK_FRESH_MS) }
    return provider
  }

  async function fetchMetadata(): Promise<Pick<DiscoveredProvider, 'server' | 'isAnnounced'>> {
    let status = 0
    const fetch = toFetch(ask, readDiscovery)
    try {
      const found = await discovery(new URL(config.issuer), config.clientId, undefined, None(), {
        execute: isHttp ? [allowInsecureRequests] : [],
        [customFetch]: async (url, request) => {
          const answer = await fetch(url, request)
          status = answer.status
          return answer
        },
      })
      return { server: checked(found.serverMetadata()), isAnnounced: true }
    } catch (error) {
      if (status === 404) return { server: documentedEndpoints(config.issuer), isAnnounced: false }
      if (isIssuerMismatch(error)) throw issuerMismatch()
      throw toProviderError(`discovery at ${config.issuer}`, error)
    }
  }

  function checked(server: ServerMetadata): ServerMetadata {
    // openid-client compares normalised URLs; `iss` checks need the very same text.
    if (server.issuer !== config.issuer) throw issuerMismatch(server.issuer)
    const documented = documentedEndpoints(config.issuer)
    for (const name of ENDPOINTS) {
      const url = server[name]
      if (url !== undefined && !isAsSafeAs(config.issuer, url)) {
        throw new PpoppoError(
          'provider_misconfigured',
          `PAS at ${config.issuer} announces a "${name}" that is not https.`,
        )
      }
    }
    return { ...documented, ...server }
  }

  function issuerMismatch(announced?: string): PpoppoError {
    const detail = announced === undefined ? 'another issuer' : `the issuer "${announced}"`
    return new PpoppoError(
      'provider_misconfigured',
      `PAS at ${config.issuer} announces ${detail}. Set "issuer" (PPOPPO_AUTH_URL) to exactly what PAS announces, slash for slash.`,
    )
  }

  function configure({ server, isAnnounced }: Pick<DiscoveredProvider, 'server' | 'isAnnounced'>): DiscoveredProvider {
    // `iss` of the authorization response is checked before the exchange, and the id_token after it, by us.
    const { [SENDS_ISSUER]: _checkedByUs, ...rest } = server
    const clientThat = (read: (body: unknown) => object): Configuration => {
      const made = new Configuration(rest, config.clientId, undefined, None())
      made[customFetch] = toFetch(ask, read)
      if (isHttp) allowInsecureRequests(made)
      return made
    }
    return {
      server,
      isAnnounced,
      clients: {
        token: clientThat(readTokenAnswer),
        userinfo: clientThat(readUserInfo),
        other: clientThat(() => ({})),
      },
      keys: createKeySet(() => fetchKeys(ask, String(server.jwks_uri)), runtime),
    }
  }

  return async ({ seenWithinMs } = {}) => {
    const now = runtime.monotonic()
    const isSeen = known !== undefined && (seenWithinMs === undefined || now - known.seenAt < seenWithinMs)
    if (known && isSeen && now < known.freshUntil) return known.provider
    const renewed = flights.run('discovery', discover)
    if (!known || !isSeen) return renewed
    renewed.catch(() => {})
    return known.provider
  }
}

interface Known {
  readonly provider: DiscoveredProvider
  readonly text: string
  readonly seenAt: number
  readonly freshUntil: number
}

function isIssuerMismatch(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'OAUTH_JSON_ATTRIBUTE_COMPARISON_FAILED'
}

/** From the *Sign-in reference*; the key set's place is from the official SDK's pages. */
function documentedEndpoints(issuer: string): ServerMetadata {
  const base = issuer.replace(/\/$/, '')
  return {
    issuer,
    authorization_endpoint: `${base}/oauth/authorize`,
    token_endpoint: `${base}/oauth/token`,
    userinfo_endpoint: `${base}/oauth/userinfo`,
    jwks_uri: `${base}/.well-known/jwks.json`,
  }
}

/** Whether `url` is https, or http as the issuer is (a loopback PAS). */
function isAsSafeAs(issuer: string, url: string): boolean {
  const protocol = URL.canParse(url) ? new URL(url).protocol : ''
  return protocol === 'https:' || (protocol === 'http:' && new URL(issuer).protocol === 'http:')
}
