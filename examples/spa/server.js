// The server of a single-page app: sign-in, an API, and the page, once `npm run build` has made it.
import { join } from 'node:path'
import express from 'express'
import { ppoppo } from 'express-ppoppo'

const port = process.env.PORT ?? 3000
const app = express()
const auth = ppoppo({
  clientId: 'spa_login_client',
  baseUrl: process.env.PPOPPO_BASE_URL ?? `http://localhost:${port}`,
  environment: 'local',
})

app.use(express.static(join(import.meta.dirname, 'dist')))
app.use(auth)

// If nobody is signed in, a script gets 401, not a redirect that it could not follow.
app.get('/api/account', auth.requireSignIn(), (req, res) => {
  res.json({ ppnum: req.ppoppo.user.ppnum, signedInAt: req.ppoppo.signIn.createdAt })
})

const server = app.listen(port, () => console.log(`http://localhost:${port}`))
process.once('SIGTERM', () => server.close(() => auth.close()))
