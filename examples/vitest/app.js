// Takes `auth` instead of making it, so that a test can pass one of its own.
import express from 'express'

export function createApp(auth) {
  const app = express()
  app.use(auth)
  app.get('/account', auth.requireSignIn(), (req, res) => {
    res.json(req.ppoppo.user)
  })
  app.post('/orders', auth.requireSignIn(), async (req, res) => {
    await req.ppoppo.messaging.sendToUser({ templateId: 'tpl_order_placed', vars: { number: '7' } })
    res.sendStatus(201)
  })
  return app
}
