/*
 * One process of an app that runs in several, on the built library; everything comes from the environment.
 * Guarded: `/orders`, `/slow` (reads who is there, waits until its parent says "go on", writes to the session, answers),
 * `/token` (length of a good access token).
 */
import { once } from 'node:events'
import express from 'express'
import { ppoppo } from 'express-ppoppo'

const app = express()
const auth = ppoppo({ scope: 'openid profile email', onEvent: (event) => process.send?.(event) })
app.use(auth)
app.get('/', (req, res) => void res.send(`<!doctype html><title>Home</title><h1>Home</h1><p>${req.ppoppo.status}</p>`))
app.get('/orders', auth.requireSignIn(), (req, res) => {
  res.send(`<!doctype html><title>Orders</title><h1>Orders</h1><p>of ${req.ppoppo.user?.ppnum}</p>`)
})
app.get('/slow', auth.requireSignIn(), async (req, res) => {
  process.send?.('slow request is here')
  await once(process, 'message')
  Object.assign(req.session, { basket: ['late'] })
  res.send('<!doctype html><title>Slow</title><h1>Slow</h1>')
})
app.get('/token', auth.requireSignIn(), async (req, res) => {
  res.json({ length: (await req.ppoppo.accessToken()).length })
})
app.listen(Number(process.env['PORT']), '127.0.0.1', () => process.send?.('listening'))
