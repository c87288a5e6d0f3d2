import { expect, test } from '@jest/globals'
import { en } from '../../src/pages/texts-en.js'
import type { Person } from '../support/tabs.js'
import { describeShopInBrowsers } from './support/shop-in-browsers.js'

const AT_PAS = /\/oauth\/authorize|\/interaction\//

describeShopInBrowsers('going back to PAS after signing in, and choosing another account there', (world) => {
  /** Alex has signed in, gone back to PAS, and chosen Mina. */
  async function choseAnother(): Promise<Person> {
    const person = await world.browser.newPerson()
    await person.goto(`${world.shop.url}/plain`)
    await person.goto(`${world.shop.url}/orders`)
    await person.click('button[value=alex]')
    await person.landsOn(`${world.shop.url}/orders`)
    await person.back()
    await person.click('button[value=mina]')
    await person.landsOn(/\/auth\/callback\?/)
    expect(await person.readable()).toContain(en.pages.still_signed_in.title)
    expect(await person.readable()).toContain('777-0000-0001')
    return person
  }

  test('U12 the page says who is still signed in; one goes on as that', async () => {
    const person = await choseAnother()
    await person.click('a.button')
    await person.landsOn(`${world.shop.url}/orders`)
    expect(await person.readable()).toContain('of 77700000001')
  })

  test('U12 or signs out there, and signs in as the other; the back button shows neither again', async () => {
    const person = await choseAnother()
    await person.click('form.actions button')
    await person.landsOn(AT_PAS)
    await person.back()
    expect(await person.readable()).not.toContain('777-0000-0001')
    await person.goto(`${world.shop.url}/orders`)
    await person.click('button[value=mina]')
    await person.landsOn(`${world.shop.url}/orders`)
    expect(await person.readable()).toContain('of 77700000002')
  })

  test('signing out with a guarded page to return to leads to PAS, and is not stuck on the page that asks', async () => {
    const person = await world.browser.newPerson()
    await person.goto(`${world.shop.url}/orders`)
    await person.click('button[value=alex]')
    await person.landsOn(`${world.shop.url}/orders`)
    await person.goto(`${world.shop.url}/auth/logout?return_to=/orders`)
    await person.click('button[type=submit]')
    await person.landsOn(AT_PAS)
  })

  test('U12 /auth/logout says so where nobody is signed in', async () => {
    const person = await world.browser.newPerson()
    await person.goto(`${world.shop.url}/auth/logout`)
    expect(await person.readable()).toContain(en.pages.signed_out.title)
    expect(await person.readable()).not.toContain(en.pages.logout_confirm.what)
    await person.click('a.button')
    await person.landsOn(`${world.shop.url}/`)
  })
})
