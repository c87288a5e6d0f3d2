import { expect, test } from '@jest/globals'
import { CookieBrowser } from '../support/cookie-browser.js'
import { startWorld } from '../support/world.js'

test('C17 keepAnonymous keeps the data of an anonymous visitor, and none of another person', async () => {
  const world = await startWorld({ options: { keepAnonymous: ['basket'] } })
  const browser = world.browser()
  await browser.visit(`${world.url}/basket?add=before`)
  await browser.go(`${world.url}/auth/login?return_to=/me`)
  const basket = async (): Promise<unknown> => JSON.parse((await browser.visit(`${world.url}/basket`)).text).basket
  expect(await basket()).toEqual(['before'])
  await browser.go(`${world.url}/auth/login?return_to=/me`)
  expect(await basket()).toEqual(['before']) // the same person again
  world.sandbox.control.set({ autoSignIn: 'mina' })
  await browser.go(`${world.url}/auth/login?return_to=/me`)
  expect(await basket()).toEqual([])
  await world.close()
})

test('C05 frames of another site start no attempt and do not count towards the rate limit', async () => {
  const world = await startWorld({ options: { rateLimit: { loginPerMinute: 2 } } })
  for (let frame = 0; frame < 5; frame += 1) {
    const answer = await new CookieBrowser().visit(`${world.url}/auth/login`, {
      headers: { 'Sec-Fetch-Site': 'cross-site', 'Sec-Fetch-Mode': 'navigate', 'Sec-Fetch-Dest': 'iframe' },
    })
    expect([answer.status, answer.cookies]).toEqual([200, []])
    expect(answer.text).toContain('target="_blank"')
  }
  expect((await world.browser().visit(`${world.url}/auth/login`)).status).toBe(302)
  await world.close()
})
