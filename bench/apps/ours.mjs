import express from 'express'
import { ppoppo } from '../../dist/index.js'

const KEY = 'pBv0cVwZrX3rGm0l6bXv9e1tq2yq1oX2a9Jw0mS6k8E='

/** express-ppoppo, as its README has it. With `logsEvents` what it reports goes to stderr. */
export function createApp({ baseUrl, redisUrl, issuer, clientId, logsEvents = false }) {
  const auth = ppoppo({
    clientId,
    baseUrl,
    issuer,
    redis: redisUrl,
    environment: 'local',
    scope: 'openid profile',
    sessionSecret: 'a secret of the benchmark, long enough',
    vaultKeys: `k1:${KEY}`,
    rateLimit: false,
    ...(logsEvents && { onEvent: (event) => console.error(JSON.stringify(event)) }),
  })
  const app = express()
  app.use(auth)
  app.get('/', (_req, res) => res.send('home'))
  app.get('/me', auth.requireSignIn(), (req, res) => res.json(req.ppoppo.user))
  app.get('/token', auth.requireSignIn(), async (req, res) => {
    res.json({ length: (await req.ppoppo.accessToken()).length })
  })
  app.get('/out', async (req, res) => {
    await req.ppoppo.signOut()
    res.json({})
  })
  app.get('/everywhere', auth.requireSignIn(), async (req, res) => {
    await req.ppoppo.signOut({ everywhere: true })
    res.json({})
  })
  return { app, close: () => auth.close() }
}
