/** The endpoints that are counted and that can be made to fail. */
export const ENDPOINTS = ['authorize', 'token', 'userinfo', 'discovery', 'jwks', 'revocation', 'endSession'] as const
export type Endpoint = (typeof ENDPOINTS)[number]

/** The documented paths, and two of our own for what Ppoppo has not documented. */
export const PATHS: { readonly [E in Endpoint]: string } = {
  authorize: '/oauth/authorize',
  token: '/oauth/token',
  userinfo: '/oauth/userinfo',
  discovery: '/.well-known/openid-configuration',
  jwks: '/.well-known/jwks.json',
  revocation: '/oauth/revoke',
  endSession: '/oauth/logout',
}

const BY_PATH = new Map<string, Endpoint>(ENDPOINTS.map((endpoint) => [PATHS[endpoint], endpoint]))

export function endpointOf(path: string): Endpoint | undefined {
  return BY_PATH.get(path)
}

/** All the scopes Ppoppo documents; any other is `invalid_scope`. */
export const SCOPES = ['openid', 'profile', 'email', 'messaging', 'poll'] as const
