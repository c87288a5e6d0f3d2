import express from 'express'
import { createSessions } from './sessions.mjs'

/** A sign-in written by hand: express-session, connect-redis, ioredis and openid-client, as their READMEs have them. */
export async function createApp({ baseUrl, redisUrl, issuer, clientId }) {
  const oidc = await import('openid-client')
  const sessions = createSessions({ redisUrl, prefix: 'bare:' })
  let found
  const discover = () => {
    found ??= oidc.discovery(new URL(issuer), clientId, undefined, oidc.None(), {
      execute: [oidc.allowInsecureRequests],
    })
    return found
  }
  const redirectUri = `${baseUrl}/auth/callback`
  const app = express()
  app.use(sessions.middleware)

  app.get('/auth/login', async (req, res) => {
    const config = await discover()
    const verifier = oidc.randomPKCECodeVerifier()
    const attempt = { verifier, state: oidc.randomState(), nonce: oidc.randomNonce() }
    req.session.attempt = attempt
    const url = oidc.buildAuthorizationUrl(config, {
      redirect_uri: redirectUri,
      scope: 'openid profile',
      state: attempt.state,
      nonce: attempt.nonce,
      code_challenge: await oidc.calculatePKCECodeChallenge(verifier),
      code_challenge_method: 'S256',
    })
    res.redirect(url.href)
  })

  app.get('/auth/callback', async (req, res) => {
    const config = await discover()
    const { attempt } = req.session
    const tokens = await oidc.authorizationCodeGrant(config, new URL(req.url, baseUrl), {
      pkceCodeVerifier: attempt.verifier,
      expectedState: attempt.state,
      expectedNonce: attempt.nonce,
    })
    const { sub } = tokens.claims()
    const info = await oidc.fetchUserInfo(config, tokens.access_token, sub)
    await new Promise((resolve, reject) => req.session.regenerate((error) => (error ? reject(error) : resolve())))
    req.session.user = { sub, ppnum: info.ppnum }
    req.session.tokens = {
      accessToken: tokens.access_token,
      refreshToken: tokens.refresh_token,
      expiresAt: Date.now() + tokens.expires_in * 1_000,
    }
    res.redirect('/me')
  })

  app.get('/', (_req, res) => res.send('home'))
  app.get('/me', (req, res) => {
    if (!req.session.user) return res.status(401).json({})
    res.json(req.session.user)
  })
  return { app, close: sessions.close }
}
