import { expect, test } from '@jest/globals'
import type { Person, Tab } from '../support/tabs.js'
import { describeShopInBrowsers } from './support/shop-in-browsers.js'

const ALEX = '77700000001'
const MINA = '77700000002'

describeShopInBrowsers('the back button after sign-out', (world) => {
  async function signIn(tab: Tab, person: string): Promise<void> {
    await tab.goto(`${world.shop.url}/orders`)
    await tab.click(`button[value=${person}]`)
    await tab.landsOn(`${world.shop.url}/orders`)
  }

  /** Somebody who came from a public page, signed in, and stands on the page the sign-in led to. */
  async function landed(): Promise<Person> {
    const person = await world.browser.newPerson()
    await person.goto(`${world.shop.url}/plain`)
    await signIn(person, 'alex')
    expect(await person.readable()).toContain(ALEX)
    return person
  }

  async function confirmSignOut(tab: Tab): Promise<void> {
    await tab.goto(`${world.shop.url}/auth/logout?return_to=/shop`)
    await tab.click('button')
    await tab.landsOn(`${world.shop.url}/shop`)
  }

  /** By a form of the app's own page, so that the page is left by the sign-out itself. */
  async function signOutHere(tab: Tab): Promise<void> {
    const form = `<form id="out" method="post" action="/auth/logout?return_to=/shop"><button>Sign out</button></form>`
    await tab.evaluate(`document.body.insertAdjacentHTML('beforeend', ${JSON.stringify(form)})`)
    await tab.click('#out button')
    await tab.landsOn(`${world.shop.url}/shop`)
  }

  /** Everywhere, in a browser far from here. */
  async function signOutElsewhere(): Promise<void> {
    const other = await world.browser.newPerson()
    await signIn(other, 'alex')
    await other.goto(`${world.shop.url}/auth/logout?return_to=/shop`)
    await other.click('input[type=checkbox]')
    await other.click('button')
    await other.landsOn(`${world.shop.url}/shop`)
  }

  /** Presses it as often as there are pages, and looks at each. */
  async function staysHidden(tab: Tab, steps: number): Promise<void> {
    for (let step = 1; step <= steps; step += 1) {
      await tab.back()
      expect(await tab.readable()).not.toContain(ALEX)
    }
  }

  test('this browser does keep pages', async () => {
    const person = await world.browser.newPerson()
    await person.goto(`${world.shop.url}/plain`)
    await person.evaluate(`(globalThis.mark = 'alive')`)
    await person.goto(`${world.shop.url}/shop`)
    await person.back()
    expect(await person.evaluate('globalThis.mark')).toBe('alive')
  })

  test('C31 the page a sign-in led to does not come back after a sign-out by the confirm page', async () => {
    const person = await landed()
    await confirmSignOut(person)
    await staysHidden(person, 2)
  })

  test('C31 the page a sign-in led to does not come back when the sign-out itself left it', async () => {
    const person = await landed()
    await signOutHere(person)
    await staysHidden(person, 1)
  })

  test('C31 a guarded page visited later does not come back', async () => {
    const person = await landed()
    await person.goto(`${world.shop.url}/settings`)
    await signOutHere(person)
    await staysHidden(person, 2)
  })

  test('C31 a guarded page in another tab than the one that signed out does not come back', async () => {
    const person = await landed()
    await person.goto(`${world.shop.url}/plain`)
    await confirmSignOut(await person.newTab())
    await staysHidden(person, 1)
  })

  test('C31 guarded pages do not come back when the sign-in was ended in another browser', async () => {
    const person = await landed()
    await person.goto(`${world.shop.url}/settings`)
    await person.goto(`${world.shop.url}/plain`)
    await signOutElsewhere()
    await staysHidden(person, 2)
  })

  test('C31 who signs in next does not see the guarded page of who was here before', async () => {
    const person = await landed()
    await person.goto(`${world.shop.url}/plain`)
    const tab = await person.newTab()
    await confirmSignOut(tab)
    await signIn(tab, 'mina')
    await person.back()
    expect(await person.readable()).toContain(MINA)
  })
})
