import { expect, test } from '@jest/globals'
import { describeExample } from './support/example-in-browser.js'
import { FINE, lookAt, unseenFocus } from './support/look.js'
import { choose, heading, landsOn, openVisitor, readable, visit } from './support/visitor.js'

describeExample('the example app, started as npm start does', (example) => {
  async function signIn(person = 'alex'): Promise<void> {
    const { page } = example.visitor
    await page.goto(`${example.app.url}/`)
    await page.locator('ppoppo-sign-in a:visible').click()
    await choose(page, person)
    await landsOn(page, `${example.app.url}/dashboard`)
  }

  test('from the front page to the dashboard, a name of one’s own, the JSON, and out again for good', async () => {
    const { page } = example.visitor
    await signIn()
    const dashboard = await readable(page)
    for (const line of ['777-0000-0001', 'alex@example.test', 'openid', 'profile', 'email'])
      expect(dashboard).toContain(line)
    await page.getByRole('textbox', { name: 'Display name' }).fill('Alexandra <b>')
    await page.getByRole('button', { name: 'Save' }).click()
    await landsOn(page, `${example.app.url}/dashboard?notice=name-saved`)
    expect(await heading(page)).toBe('Alexandra <b>')
    expect(await readable(page)).toContain('Your name is saved.')

    await page.goto(`${example.app.url}/api/me`)
    const me = JSON.parse(await readable(page))
    expect(me).toMatchObject({ ppnum: '77700000001', account: { displayName: 'Alexandra <b>' } })

    await page.goto(`${example.app.url}/dashboard`)
    const other = await example.visitor.newTab()
    const isAsked = other.waitForResponse(`${example.app.url}/auth/session`)
    await other.goto(`${example.app.url}/dashboard`)
    await isAsked
    await page.getByRole('button', { name: 'Sign out' }).click()
    await landsOn(page, `${example.app.url}/?notice=signed-out`)
    expect(await readable(page)).toContain('You are signed out.')
    await landsOn(other, `${example.app.url}/?notice=signed-out`)
    await other.close()
    await page.goBack()
    expect(page.url()).toContain(example.app.pas)
    expect(
      await example.visitor.context.request.get(`${example.app.url}/api/me`).then((answer) => answer.status()),
    ).toBe(401)
  })

  test('the list of sign-ins ends another browser, and then all', async () => {
    const { page } = example.visitor
    await signIn('mina')
    const other = await openVisitor(example.browser)
    await other.page.goto(`${example.app.url}/dashboard`)
    await choose(other.page, 'mina')
    await landsOn(other.page, `${example.app.url}/dashboard`)

    await page.getByRole('link', { name: 'Sign-ins', exact: true }).click()
    expect(await page.locator('.sign-ins li').count()).toBe(2)
    expect(await readable(page)).toContain('Linux')
    for (const look of await lookAt(page, 'example-sign-ins')) expect(look).toMatchObject({ ...FINE, lang: 'en' })
    await page.locator('.sign-ins li').nth(1).getByRole('button', { name: 'Sign out' }).click()
    expect(await page.locator('.sign-ins li').count()).toBe(1)
    await other.page.reload()
    expect(other.page.url()).toContain(example.app.pas)
    await choose(other.page, 'mina')
    await landsOn(other.page, `${example.app.url}/dashboard`)

    await page.getByRole('button', { name: 'Sign out everywhere' }).click()
    await landsOn(page, `${example.app.url}/?notice=signed-out-everywhere`)
    await other.page.reload()
    expect(other.page.url()).toContain(example.app.pas)
    await other.close()
  })

  test('C36 while Ppoppo is down the dashboard is there, and says that the e-mail address is not', async () => {
    const { page } = example.visitor
    await signIn()
    const down = { times: 'until-cleared', fault: { kind: 'reset' } }
    for (const endpoint of ['userinfo', 'token']) await example.app.control('faults', { endpoint, ...down })
    expect(await visit(page, `${example.app.url}/dashboard`)).toBe(200)
    expect(await readable(page)).toContain('Can’t be fetched right now.')
    for (const look of await lookAt(page, 'example-dashboard-without-ppoppo')) expect(look).toMatchObject(FINE)
    await example.app.control('clear-faults', {})
    await page.reload()
    expect(await readable(page)).toContain('alex@example.test')
  })

  test('every page of it: readable, narrow enough, with a visible focus', async () => {
    const { page } = example.visitor
    const faults: Record<string, unknown> = {}
    const lookHere = async (name: string): Promise<void> => {
      for (const look of await lookAt(page, `example-${name}`)) {
        const { weak, small, overflow, headings } = look
        if (JSON.stringify({ weak, small, overflow, headings }) !== JSON.stringify(FINE) || look.lang !== 'en')
          faults[name] = look
      }
      const unseen = await unseenFocus(page)
      if (unseen.length > 0) faults[`${name} focus`] = unseen
    }
    await page.goto(`${example.app.url}/`)
    await lookHere('home')
    await signIn('robo')
    await lookHere('dashboard')
    await page.getByRole('textbox', { name: 'Display name' }).evaluate((input) => input.removeAttribute('maxlength'))
    await page.getByRole('textbox', { name: 'Display name' }).fill('W'.repeat(41))
    await page.getByRole('button', { name: 'Save' }).click()
    await lookHere('dashboard-refused-name')
    await page.getByRole('textbox', { name: 'Display name' }).fill('W'.repeat(40))
    await page.getByRole('button', { name: 'Save' }).click()
    await lookHere('dashboard-long-name')
    await page.goto(`${example.app.url}/`)
    await lookHere('home-signed-in')
    await page.goto(`${example.app.url}/nowhere`)
    await lookHere('not-found')
    expect(faults).toEqual({})
  })

  test('without any script one signs in and out all the same', async () => {
    const { page, close } = await openVisitor(example.browser, { javaScriptEnabled: false })
    await page.goto(`${example.app.url}/`)
    await page.getByRole('link', { name: 'Sign in with Ppoppo' }).click()
    await choose(page, 'alex')
    await landsOn(page, `${example.app.url}/dashboard`)
    await page.getByRole('button', { name: 'Sign out' }).click()
    await landsOn(page, `${example.app.url}/?notice=signed-out`)
    await close()
  })
})
