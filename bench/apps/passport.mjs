import express from 'express'
import passport from 'passport'
import OAuth2Strategy from 'passport-oauth2'
import { createSessions } from './sessions.mjs'

/** passport with passport-oauth2 on the same sessions. It verifies no id_token. */
export function createApp({ baseUrl, redisUrl, issuer, clientId }) {
  const sessions = createSessions({ redisUrl, prefix: 'passport:' })
  const strategy = new OAuth2Strategy(
    {
      authorizationURL: `${issuer}/oauth/authorize`,
      tokenURL: `${issuer}/oauth/token`,
      clientID: clientId,
      callbackURL: `${baseUrl}/auth/callback`,
      scope: ['openid', 'profile'],
      state: true,
      pkce: 'S256',
    },
    (accessToken, refreshToken, profile, done) => done(null, { ...profile, accessToken, refreshToken }),
  )
  strategy._oauth2.useAuthorizationHeaderforGET(true)
  strategy.userProfile = function userProfile(accessToken, done) {
    this._oauth2.get(`${issuer}/oauth/userinfo`, accessToken, (error, body) => {
      if (error) return done(error)
      const { sub, ppnum } = JSON.parse(body)
      done(null, { sub, ppnum })
    })
  }
  const authenticator = new passport.Passport()
  authenticator.use('ppoppo', strategy)
  authenticator.serializeUser((user, done) => done(null, user))
  authenticator.deserializeUser((user, done) => done(null, user))

  const app = express()
  app.use(sessions.middleware)
  app.use(authenticator.session())
  app.get('/auth/login', authenticator.authenticate('ppoppo'))
  app.get('/auth/callback', authenticator.authenticate('ppoppo'), (_req, res) => res.redirect('/me'))
  app.get('/', (_req, res) => res.send('home'))
  app.get('/me', (req, res) => {
    if (!req.isAuthenticated()) return res.status(401).json({})
    const { sub, ppnum } = req.user
    res.json({ sub, ppnum })
  })
  return { app, close: sessions.close }
}
