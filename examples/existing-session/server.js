// An app that had express-session before: it keeps its sessions, and carries the cart over into the signed-in session.
import express from 'express'
import { ppoppo } from 'express-ppoppo'
import session from 'express-session'

const port = process.env.PORT ?? 3000
const app = express()

app.use(
  session({
    secret: process.env.SESSION_SECRET ?? 'only for development',
    resave: false,
    saveUninitialized: false,
    cookie: { httpOnly: true, sameSite: 'lax', secure: 'auto' },
  }),
)

const auth = ppoppo({
  clientId: 'shop_login_client',
  baseUrl: `http://localhost:${port}`,
  environment: 'local',
  session: false,
  keepAnonymous: ['cart'],
})
app.use(auth)

// Changing something takes a POST in an app of your own.
app.get('/add', (req, res) => {
  req.session.cart = (req.session.cart ?? 0) + 1
  res.send(`${req.session.cart} in the cart. <a href="/account">Check out</a>`)
})

app.get('/account', auth.requireSignIn(), (req, res) => {
  res.send(`Signed in as ${req.ppoppo.user.ppnum}, ${req.session.cart ?? 0} in the cart`)
})

const server = app.listen(port, () => console.log(`http://localhost:${port}/add`))
process.once('SIGTERM', () => server.close(() => auth.close()))
