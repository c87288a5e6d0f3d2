// Sign-in, a guarded page, sign-out.
import express from 'express'
import { ppoppo } from 'express-ppoppo'

const port = process.env.PORT ?? 3000
const app = express()
const auth = ppoppo({ clientId: 'minimal_login_client', baseUrl: `http://localhost:${port}`, environment: 'local' })

app.use(auth)

app.get('/', (_req, res) => {
  res.send(`<link rel="stylesheet" href="/auth/button.css">${auth.signInButton({ returnTo: '/account' })}`)
})

app.get('/account', auth.requireSignIn(), (req, res) => {
  const { ppnum } = req.ppoppo.user
  res.send(`<p>Signed in as ${ppnum}</p><form method="post" action="/auth/logout"><button>Sign out</button></form>`)
})

const server = app.listen(port, () => console.log(`http://localhost:${port}`))
process.once('SIGTERM', () => server.close(() => auth.close()))
