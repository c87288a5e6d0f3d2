import { afterEach, expect, test } from '@jest/globals'
import type { Session } from 'express-session'
import { isSignedIn } from '../support/attempts.js'
import { startWorld, type World } from '../support/world.js'

let world: World
afterEach(() => world.close())

/** As many as the memory store holds. */
const VISITORS = 100_000

test('A21 100,000 sessions of anonymous visitors sign nobody out', async () => {
  world = await startWorld({
    routes: (app) => {
      app.get('/flood', async (req, res) => {
        const { sessionStore } = req
        for (let visitor = 0; visitor < VISITORS; visitor += 1) {
          // Longer than a busy machine takes for all.
          const session = { cookie: { originalMaxAge: 3_600_000 }, basket: [visitor] } as unknown as Session
          await new Promise((done) => sessionStore.set(`visitor ${visitor}`, session, done))
        }
        res.end()
      })
    },
  })
  const person = await world.signedIn()
  const visitor = world.browser()
  await visitor.visit(`${world.url}/basket?add=apple`)
  expect((await world.browser().visit(`${world.url}/flood`)).status).toBe(200)
  expect(await isSignedIn(world, person)).toBe(true)
  expect(JSON.parse((await visitor.visit(`${world.url}/basket`)).text).basket).toEqual([])
})
