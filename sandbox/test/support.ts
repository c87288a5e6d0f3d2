import { randomBytes } from 'node:crypto'
import { afterEach } from '@jest/globals'
import * as oidc from 'openid-client'
import { type Sandbox, type SandboxOptions, startSandbox } from '../src/index.js'

export const CLIENT_ID = 'test_login_client'
export const REDIRECT_URI = 'http://localhost:3000/auth/callback'

const running: Sandbox[] = []

afterEach(async () => {
  await Promise.all(running.splice(0).map((sandbox) => sandbox.close()))
})

/** A sandbox on a free port, closed after the test. */
export async function sandboxFor(options: SandboxOptions = {}): Promise<Sandbox> {
  const sandbox = await startSandbox({ pasPort: 0, ...options })
  running.push(sandbox)
  return sandbox
}

export interface Attempt {
  readonly url: URL
  readonly checks: { pkceCodeVerifier: string; expectedState: string; expectedNonce: string }
}

/** openid-client, which shares no code with the sandbox: discovers it as any app would. */
export function discover(sandbox: Sandbox): Promise<oidc.Configuration> {
  return oidc.discovery(new URL(sandbox.issuer), CLIENT_ID, undefined, oidc.None(), {
    execute: [oidc.allowInsecureRequests, oidc.enableNonRepudiationChecks],
  })
}

/** One authorization request with fresh state, nonce and PKCE pair. */
export async function beginAttempt(
  config: oidc.Configuration,
  extra: { readonly [name: string]: string } = {},
): Promise<Attempt> {
  const verifier = oidc.randomPKCECodeVerifier()
  const [state, nonce] = [randomBytes(8).toString('hex'), randomBytes(8).toString('hex')]
  const url = oidc.buildAuthorizationUrl(config, {
    redirect_uri: REDIRECT_URI,
    scope: 'openid profile email',
    state,
    nonce,
    code_challenge: await oidc.calculatePKCECodeChallenge(verifier),
    code_challenge_method: 'S256',
    ...extra,
  })
  return { url, checks: { pkceCodeVerifier: verifier, expectedState: state, expectedNonce: nonce } }
}

/** Presses a person's button the way a program can: the authorization request again, as a form, plus `person`. */
export async function press(url: URL, person: string): Promise<Response> {
  const body = new URLSearchParams([...url.searchParams, ['person', person]])
  return fetch(url.origin + url.pathname, { method: 'POST', body, redirect: 'manual' })
}

export function locationOf(response: Response): URL {
  return new URL(response.headers.get('location') ?? '')
}

/** A whole sign-in: what openid-client makes of the token answer. */
export async function signIn(
  config: oidc.Configuration,
  person: string,
  extra: { readonly [name: string]: string } = {},
): Promise<oidc.TokenEndpointResponse & oidc.TokenEndpointResponseHelpers> {
  const { url, checks } = await beginAttempt(config, extra)
  const callback = locationOf(await press(url, person))
  const resource = extra['resource']
  return oidc.authorizationCodeGrant(config, callback, checks, resource === undefined ? {} : { resource })
}

/** The token answer as it is on the wire, for a sign-in as Alex. */
export async function exchange(sandbox: Sandbox): Promise<{ readonly [name: string]: unknown }> {
  const { url, checks } = await beginAttempt(await discover(sandbox))
  const code = locationOf(await press(url, 'alex')).searchParams.get('code') ?? ''
  const body = new URLSearchParams({
    grant_type: 'authorization_code',
    code,
    client_id: CLIENT_ID,
    redirect_uri: REDIRECT_URI,
    code_verifier: checks.pkceCodeVerifier,
  })
  const response = await fetch(`${sandbox.issuer}/oauth/token`, { method: 'POST', body })
  return JSON.parse(await response.text())
}
