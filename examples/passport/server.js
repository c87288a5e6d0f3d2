// Passport for passwords, the library for Ppoppo, in one session. Somebody with a password links their Ppoppo account by signing in with
// it while they are signed in.
import express from 'express'
import { denySignIn, ppoppo } from 'express-ppoppo'
import session from 'express-session'
import passport from 'passport'
import { Strategy } from 'passport-local'

const port = process.env.PORT ?? 3000
// Your database. Passwords are stored as hashes there, of course.
const accounts = [{ id: 1, name: 'alex', password: 'open sesame', sub: undefined }]

passport.use(
  new Strategy((name, password, done) => {
    done(null, accounts.find((one) => one.name === name && one.password === password) ?? false)
  }),
)
passport.serializeUser((account, done) => done(null, account.id))
passport.deserializeUser((id, done) => done(null, accounts.find((one) => one.id === id) ?? false))

const app = express()
app.use(session({ secret: 'only for development', resave: false, saveUninitialized: false }))
app.use(passport.session())

const auth = ppoppo({
  clientId: 'passport_login_client',
  baseUrl: `http://localhost:${port}`,
  environment: 'local',
  session: false,
  keepAnonymous: ['passport'], // a Ppoppo sign-in keeps the Passport login
  onSignIn({ sub }, { req }) {
    const linked = accounts.find((one) => one.sub === sub)
    if (linked && req.user && linked !== req.user) throw denySignIn('This Ppoppo account belongs to another account.')
    const account = linked ?? req.user
    if (!account) throw denySignIn('Sign in with your password first, then link your Ppoppo account.')
    account.sub = sub
    return { id: account.id }
  },
})
app.use(auth)

app.get('/', (_req, res) => {
  res.send(
    '<form method="post" action="/password"><input name="username"><input name="password" type="password"><button>Go',
  )
})
app.post(
  '/password',
  express.urlencoded({ extended: false }),
  passport.authenticate('local', { successRedirect: '/account', failureRedirect: '/', keepSessionInfo: true }),
)
app.get('/account', (req, res) => {
  const { isSignedIn, user } = req.ppoppo
  if (!req.user && !isSignedIn) return res.redirect('/')
  res.send(
    `${req.user?.name ?? 'somebody'}, Ppoppo: ${user?.ppnum ?? '<a href="/auth/login?return_to=/account">link it</a>'}`,
  )
})

const server = app.listen(port, () => console.log(`http://localhost:${port}`))
process.once('SIGTERM', () => server.close(() => auth.close()))
