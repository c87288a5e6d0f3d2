import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { startWorld, type World } from '../support/world.js'

/** As Chromium asks for a page. */
const CHROMIUM = { 'Sec-CH-UA': '"Chromium";v="156"' }

let world: World
beforeAll(async () => {
  world = await startWorld({
    routes(app, auth) {
      app.get('/public', auth.requireSignIn(), (_req, res) => {
        res.set('Cache-Control', 'public, max-age=60').send('for everybody')
      })
      app.get('/flash', auth.requireSignIn(), (_req, res) => {
        res.cookie('flash', 'saved').send('saved')
      })
    },
  })
})
afterAll(() => world.close())

async function cookiesOf(path: string, headers: Record<string, string> = CHROMIUM): Promise<readonly string[]> {
  const browser = await world.signedIn()
  return (await browser.visit(world.url + path, { headers })).cookies
}

test('C31 a guarded page sets a cookie twice in Chromium, which keeps the page no longer then; the cookie is gone in a second', async () => {
  const attributes = 'Max-Age=1; Path=/; HttpOnly; SameSite=Lax'
  expect(await cookiesOf('/page')).toEqual([`ppoppo-page=1; ${attributes}`, `ppoppo-page=2; ${attributes}`])
})

test('the cookies of the app stay', async () => {
  const [first, ...rest] = await cookiesOf('/flash')
  expect(first).toMatch(/^flash=saved/)
  expect(rest).toHaveLength(2)
})

test('an answer that the app makes public carries no cookie of ours', async () => {
  expect(await cookiesOf('/public')).toEqual([])
})

test.each([
  ['other browsers', {}],
  ['a fetch', { ...CHROMIUM, 'Sec-Fetch-Dest': 'empty', 'Sec-Fetch-Mode': 'cors' }],
  ['a frame', { ...CHROMIUM, 'Sec-Fetch-Dest': 'iframe' }],
])('%s get no such cookie', async (_who, headers) => {
  expect(await cookiesOf('/page', headers)).toEqual([])
})
