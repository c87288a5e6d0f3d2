import { RedisStore } from 'connect-redis'
import express from 'express'
import eoc from 'express-openid-connect'
import { Redis } from 'ioredis'

const { auth, requiresAuth } = eoc

/** express-openid-connect; with `sessionIn: 'redis'` its sessions lie in Redis, else in the cookie. */
export function createApp({ baseUrl, redisUrl, issuer, clientId, sessionIn }) {
  const client = sessionIn === 'redis' ? new Redis(redisUrl) : undefined
  const app = express()
  app.use(
    auth({
      baseURL: baseUrl,
      issuerBaseURL: issuer,
      clientID: clientId,
      secret: 'a secret of the benchmark, long enough',
      authRequired: false,
      // It takes no public client: the sandbox ignores the secret.
      clientAuthMethod: 'client_secret_post',
      clientSecret: 'a secret that nobody checks',
      idTokenSigningAlg: 'EdDSA',
      authorizationParams: { response_type: 'code', scope: 'openid profile' },
      routes: { login: '/auth/login', callback: '/auth/callback' },
      getLoginState: () => ({ returnTo: '/me' }),
      ...(client && { session: { store: new RedisStore({ client, prefix: 'eoc:' }) } }),
    }),
  )
  app.get('/', (_req, res) => res.send('home'))
  app.get('/me', requiresAuth(), (req, res) => res.json({ sub: req.oidc.user.sub, ppnum: req.oidc.user.ppnum ?? '' }))
  app.get('/token', requiresAuth(), async (req, res) => {
    const { accessToken } = req.oidc
    const token = accessToken.isExpired() ? await accessToken.refresh() : accessToken
    res.json({ length: token.access_token.length })
  })
  return { app, close: () => client?.disconnect() }
}
