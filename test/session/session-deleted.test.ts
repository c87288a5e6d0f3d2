import { expect, test } from '@jest/globals'
import { describeOnStores } from '../support/stores.js'
import { startWorld } from '../support/world.js'

describeOnStores('an app that deletes req.session before anybody asked for it', (storage) => {
  test('and replaces it, gets session_invalid', async () => {
    const world = await startWorld({
      options: storage.options(),
      routes: (app) => {
        app.get('/replace', (req, res) => {
          Reflect.deleteProperty(req, 'session')
          Object.assign(req, { session: { basket: ['apple'] } })
          res.send('done')
        })
      },
    })
    try {
      expect((await world.browser().visit(`${world.url}/replace`)).status).toBe(500)
    } finally {
      await world.close()
    }
  })

  test('before auth.middleware, is not told who is signed in by a session that it took away', async () => {
    const world = await startWorld({
      options: storage.options(),
      mount: (app, auth) => {
        app.use(auth.session)
        app.use('/without', (req, _res, next) => {
          Reflect.deleteProperty(req, 'session')
          next()
        })
        app.use(auth.middleware, auth.router)
      },
      routes: (app) => {
        app.get('/without', (req, res) => {
          res.send(req.ppoppo.status)
        })
      },
    })
    try {
      const browser = await world.signedIn()
      expect((await browser.visit(`${world.url}/without`)).text).toBe('unavailable')
    } finally {
      await world.close()
    }
  })
})
