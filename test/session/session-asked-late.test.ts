import { expect, test } from '@jest/globals'
import { createClock, SECOND } from '../support/clock.js'
import { describeOnStores } from '../support/stores.js'
import { startWorld } from '../support/world.js'

const post = { method: 'POST', headers: { 'Sec-Fetch-Site': 'same-origin' } }

describeOnStores('a request that asks for its session late', (storage) => {
  test('with the cookie of a session that has ended, gets no new one that would replace the newer one', async () => {
    const clock = createClock()
    const world = await startWorld({
      options: storage.options(),
      runtime: clock.runtime,
      routes: (app) => {
        app.get('/slow', (req, res) => {
          // Reads an upload, say, before it looks at the session.
          clock.advance(11 * SECOND)
          Object(req.session).basket = ['late']
          res.send('done')
        })
      },
    })
    try {
      const browser = await world.signedIn()
      const old = browser.clone()
      await browser.visit(`${world.url}/auth/logout`, post)
      const late = await old.visit(`${world.url}/slow`)
      expect([late.status, late.cookies]).toEqual([200, []])
    } finally {
      await world.close()
    }
  })
})
