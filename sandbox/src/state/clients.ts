import { isJsonObject } from '../lib/json.js'

/** A registered login client. Public: there is no secret. */
export interface SandboxClient {
  readonly clientId: string
  /** Compared byte for byte, as PAS does. */
  readonly redirectUris: readonly string[]
}

/** What the sandbox answers when it is asked whether it knows a client. */
export interface ClientRegistry {
  readonly description: string
  isKnown(clientId: string): boolean
  isRedirectAllowed(clientId: string, redirectUri: string): boolean
  /** After a sign-out any address of an origin the client signs in from will do: no list of those is documented. */
  isLogoutReturnAllowed(clientId: string, returnUri: string): boolean
}

const OPEN_SUFFIX = '_login_client'
/** This machine: `localhost`, any name under it (RFC 6761), `127.0.0.0/8` and `[::1]`, as `URL.hostname` spells them. */
const LOOPBACK_HOST = /^(?:(?:[^.]+\.)*localhost|127(?:\.\d{1,3}){3}|\[::1\])$/

/** With no list: any id that looks like a login client, any address on this machine. With a list: exactly that. */
export function createClientRegistry(clients: readonly SandboxClient[] | undefined): ClientRegistry {
  if (clients === undefined) {
    return {
      description: `any client id ending in ${OPEN_SUFFIX}, with redirect URIs on this machine`,
      isKnown: (clientId) => clientId.endsWith(OPEN_SUFFIX) && /^[\x21-\x7e]{1,200}$/.test(clientId),
      isRedirectAllowed: (_clientId, redirectUri) => isLoopbackUri(redirectUri),
      isLogoutReturnAllowed: (_clientId, returnUri) => isLoopbackUri(returnUri),
    }
  }
  const byId = new Map(clients.map((client) => [client.clientId, new Set(client.redirectUris)]))
  return {
    description: [...byId.keys()].join(', '),
    isKnown: (clientId) => byId.has(clientId),
    isRedirectAllowed: (clientId, redirectUri) => byId.get(clientId)?.has(redirectUri) ?? false,
    isLogoutReturnAllowed: (clientId, returnUri) =>
      [...(byId.get(clientId) ?? [])].some((uri) => new URL(uri).origin === new URL(returnUri).origin),
  }
}

function isLoopbackUri(text: string): boolean {
  if (!URL.canParse(text)) return false
  const url = new URL(text)
  const isWeb = url.protocol === 'http:' || url.protocol === 'https:'
  return isWeb && LOOPBACK_HOST.test(url.hostname) && url.hash === '' && url.username === '' && url.password === ''
}

/**
 * Checks a list of clients from a file or an option.
 * @throws TypeError naming the entry and the field.
 */
export function parseClients(input: unknown): readonly SandboxClient[] {
  if (!Array.isArray(input) || input.length === 0) throw new TypeError('clients must be a list of at least one client')
  return input.map((entry: unknown, index) => {
    const path = `clients[${index}]`
    if (!isJsonObject(entry)) throw new TypeError(`${path} must be an object`)
    const { clientId, redirectUris, ...rest } = entry
    const unknown = Object.keys(rest)[0]
    if (unknown !== undefined) {
      throw new TypeError(`${path}.${unknown} is not a known field; known are clientId, redirectUris`)
    }
    if (typeof clientId !== 'string' || !/^[\x21-\x7e]{1,200}$/.test(clientId)) {
      throw new TypeError(`${path}.clientId must be a string of 1 to 200 visible characters`)
    }
    if (!Array.isArray(redirectUris) || redirectUris.length === 0 || !redirectUris.every(isAbsoluteUri)) {
      throw new TypeError(`${path}.redirectUris must be a list of absolute URLs`)
    }
    return { clientId, redirectUris }
  })
}

function isAbsoluteUri(value: unknown): value is string {
  return typeof value === 'string' && URL.canParse(value)
}
