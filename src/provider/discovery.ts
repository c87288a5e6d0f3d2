import { allowInsecureRequests, Configuration, customFetch, discovery, None, type ServerMetadata } from 'openid-client'
import type { Config } from '../config/options.js'
import { PpoppoError } from '../errors.js'
import type { Runtime } from '../lib/runtime.js'
import { SingleFlight } from '../lib/single-flight.js'
import { toProviderError } from './faults.js'
import { type AskProvider, toFetch } from './http.js'
import { createKeySet, fetchKeys, type KeySet } from './key-set.js'
import { ENDPOINTS, readDiscovery, readTokenAnswer, readUserInfo, SENDS_ISSUER } from './read-answers.js'

/** The result of discovery. */
export interface DiscoveredProvider {
  /** As announced, or as documented. */
  readonly server: ServerMetadata
  /** Whether PAS has a discovery document. */
  readonly isAnnounced: boolean
  /** openid-client's configurations, by the endpoint they call. */
  readonly clients: Readonly<Record<'token' | 'userinfo' | 'other', Configuration>>
  readonly keys: KeySet
}

const FRESH_MS = 60 * 60_000
const FALLBACK_FRESH_MS = 60_000

/** Finds PAS. */
export type Discovery = (options?: {
  /** If PAS last answered longer ago than this, in milliseconds, it is asked now, and the caller gets its failure. */
  readonly seenWithinMs?: number
}) => Promise<DiscoveredProvider>

/** What discovery needs. */
export interface DiscoveryParts {
  readonly config: Pick<Config, 'clientId' | 'issuer'>
  readonly ask: AskProvider
  readonly runtime: Runtime
}

/**
 * Discovery runs on first use, one call at a time. The result is kept for an hour, then renewed in the background while
 * the old one stays in use. A failure is thrown but not cached. A 404 means that this PAS has no discovery document, so
 * the documented endpoints are used.
 */
export function createDiscovery({ config, ask, runtime }: DiscoveryParts): Discovery {
  const flights = new SingleFlight<DiscoveredProvider>()
  /** The configuration allows http on loopback only. */
  const isHttp = new URL(config.issuer).protocol === 'http:'
  let known: Known | undefined

  async function discover(): Promise<DiscoveredProvider> {
    const found = await fetchMetadata()
    const text = JSON.stringify(found)
    // If nothing has changed, keep the provider, because the key set that was fetched belongs to it.
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
    // openid-client compares normalised URLs, but `iss` checks need exactly the same string.
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
    // Hidden from openid-client: we check `iss` ourselves before the exchange, and the id_token after it.
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
      keys: createKeySet({ fetchKeys: () => fetchKeys(ask, String(server.jwks_uri)), runtime }),
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

/** From the *Sign-in reference*; the address of the key set is from the official SDK's pages. */
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

/** Whether `url` is https, or http when the issuer is http too (a loopback PAS). */
function isAsSafeAs(issuer: string, url: string): boolean {
  const protocol = URL.canParse(url) ? new URL(url).protocol : ''
  return protocol === 'https:' || (protocol === 'http:' && new URL(issuer).protocol === 'http:')
}
