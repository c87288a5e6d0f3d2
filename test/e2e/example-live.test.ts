import { beforeEach, expect, test } from '@jest/globals'
import type { Page } from 'playwright-core'
import { describeExample } from './support/example-in-browser.js'
import { FINE, lookAt, unseenFocus } from './support/look.js'
import { choose, openVisitor, readable } from './support/visitor.js'

const TEST_NUMBERS = '12300000001\n12300000002\n12300000003\n12300000004'
const WAITING = 'Waiting for consent. Ppoppo asks them, which can take about a day.'

describeExample('the example app’s pages of messages', (example) => {
  let page: Page
  beforeEach(async () => {
    await set({ pcsStepMs: 400, pcsConsentMs: 1_500, pcsPollAnswerMs: 100 })
    page = example.visitor.page
    await page.goto(`${example.app.url}/messages`)
    await choose(page, 'alex')
  })

  const set = (switches: object): Promise<void> => example.app.control('', switches)

  async function send(template: string, numbers: string): Promise<void> {
    await page.goto(`${example.app.url}/messages`)
    await page.locator(`[name=template][value=${template}]`).check()
    await page.locator('[name=to][value=numbers]').check()
    await page.getByRole('textbox', { name: 'Message', exact: true }).fill('Hello there')
    await page.getByLabel('Ppoppo numbers').fill(numbers)
    await page.getByRole('button', { name: 'Send' }).click()
    await page.waitForURL(/\/messages\/\d+$/)
  }

  /** Writes down every text that elements have, until they have the last one. Runs in the page, which so stays the same. */
  const textsUntil = (selector: string, last: string): Promise<readonly string[]> =>
    page.evaluate<readonly string[]>(`new Promise((resolve) => {
      const seen = []
      const look = () => {
        const text = [...document.querySelectorAll(${JSON.stringify(selector)})].map((one) => one.textContent).join(' | ')
        if (text !== seen.at(-1)) seen.push(text)
        if (text.includes(${JSON.stringify(last)})) resolve(seen)
        else requestAnimationFrame(look)
      }
      look()
    })`)

  test('show how it stands with each of the four test numbers, as it changes', async () => {
    await set({ pcsStepMs: 1_000 })
    await send('invitation', TEST_NUMBERS)
    const steps = await textsUntil('[data-words]', 'Declined.')
    expect(steps.at(-1)).toBe(
      'Delivered. | Consented. Delivered. | Declined. Reach them another way. | Could not be delivered.',
    )
    expect(steps[0]).toBe('On the way. | On the way. | On the way. | On the way.')
    expect(steps).toContain(`Delivered. | ${WAITING} | ${WAITING} | Could not be delivered.`)
    expect(await readable(page)).toContain('Done: delivered to 2 of 4.')
    // Read aloud: the change of words, and no count.
    expect(await page.locator('[data-said]').textContent()).toBe('Done: delivered to 2 of 4.')
  })

  test('Send, Back, Send is one message; an error, Send, Back asks nobody to send a form again', async () => {
    const listed = async (): Promise<number> => {
      await page.goto(`${example.app.url}/messages`)
      return page.locator('.sends > li').count()
    }
    const before = await listed()
    await page.getByRole('textbox', { name: 'Message', exact: true }).fill('once')
    await page.getByRole('button', { name: 'Send' }).click()
    await page.waitForURL(/\/messages\/\d+$/)
    await page.goBack()
    // Whatever the browser shows here, what it can send goes nowhere.
    if ((await page.getByRole('button', { name: 'Send' }).count()) > 0) {
      await page.getByRole('button', { name: 'Send' }).click()
      expect(await readable(page)).toContain('Nothing was sent twice.')
    } else {
      expect(await readable(page)).toContain('You have sent this')
    }
    expect(await listed()).toBe(before + 1)

    // A mistake first: the page that tells of it is at an address of its own.
    await page.locator('[name=to][value=numbers]').check()
    await page.getByRole('textbox', { name: 'Message', exact: true }).fill('with a mistake')
    await page.getByLabel('Ppoppo numbers').fill('123')
    await page.getByRole('button', { name: 'Send' }).click()
    expect(await readable(page)).toContain('is not a Ppoppo number')
    expect(await page.getByRole('textbox', { name: 'Message', exact: true }).inputValue()).toBe('with a mistake')
    await page.getByLabel('Ppoppo numbers').fill('12300000001')
    await page.getByRole('button', { name: 'Send' }).click()
    await page.waitForURL(/\/messages\/\d+$/)
    const back = await page.goBack()
    expect([back?.status(), back?.request().method()]).toEqual([200, 'GET'])
    expect(await readable(page)).toContain('You have sent this')
    expect(await listed()).toBe(before + 2)
  })

  test('move a poll’s bars as answers come in', async () => {
    await send('poll', Array.from({ length: 30 }, (_, i) => 12_300_000_100 + i).join('\n'))
    const widthOf = () => page.locator('[data-poll] .bar-delivered').first().getAttribute('width')
    expect(await widthOf()).toBe('0')
    const steps = await textsUntil('[data-poll] caption', '27 answers so far')
    expect(steps.length).toBeGreaterThan(2)
    expect(Number(await widthOf())).toBeGreaterThan(30)
    expect(await page.locator('[data-words]').allTextContents()).toContain('Delivered and answered.')
  })

  test('show a poll’s answers once Ppoppo tells them, though it told nothing when the page was loaded', async () => {
    const fault = { kind: 'status', code: 'UNAVAILABLE' }
    await example.app.control('pcs/faults', { method: 'GetPollResults', times: 'until-cleared', fault })
    await send('poll', TEST_NUMBERS)
    expect(await readable(page)).not.toContain('What shall we have for lunch?')
    await example.app.control('pcs/clear-faults', {})
    await page.getByText('What shall we have for lunch?').waitFor()
  })

  test('move the counts on the list, and take nothing from what one is writing there', async () => {
    // Long enough for the page to be there on a busy machine, too.
    await set({ pcsConsentMs: 8_000 })
    await send('note', TEST_NUMBERS)
    await page.goto(`${example.app.url}/messages`)
    await page.getByRole('textbox', { name: 'Message', exact: true }).fill('half a sentence')
    const steps = await textsUntil('.sends li:first-child [data-headline]', 'Done: delivered to 2 of 4.')
    expect(steps).toContain('Waiting for the consent of 2 people.')
    expect(await page.getByRole('textbox', { name: 'Message', exact: true }).inputValue()).toBe('half a sentence')
  })

  test('leave their connection when they are hidden or left, so that other tabs have one', async () => {
    await set({ pcsStepMs: 60_000 })
    await send('note', TEST_NUMBERS)
    const path = new URL(page.url()).pathname
    // Six is all that a browser opens to one server; each page takes one, and then gives it back.
    for (let i = 0; i < 8; i += 1) {
      const connected = page.waitForResponse((answer) => answer.url().includes('/events'))
      await page.goto(example.app.url + path)
      expect((await connected).status()).toBe(200)
    }
    const tabs = await Promise.all(Array.from({ length: 5 }, () => example.visitor.newTab()))
    for (const tab of tabs) {
      await tab.goto(example.app.url + path)
      await hide(tab)
    }
    for (const tab of tabs) await tab.goto(`${example.app.url}/dashboard`)
    await page.reload()
    await set({ pcsStepMs: 400 })
  })

  test('are readable, narrow enough, with a visible focus, while people are asked and when all is done', async () => {
    await set({ pcsConsentMs: 60_000 })
    await send('invitation', TEST_NUMBERS)
    await page.getByText('Waiting for the consent of 2 people').first().waitFor()
    for (const look of await lookAt(page, 'example-message-waiting'))
      expect(look).toMatchObject({ ...FINE, lang: 'en' })
    expect(await unseenFocus(page)).toEqual([])
    await set({ pcsConsentMs: 300 })
    await send('poll', TEST_NUMBERS)
    await page.getByText('answers so far').first().waitFor()
    await page.getByText('Done: delivered to 2 of 4.').first().waitFor()
    for (const look of await lookAt(page, 'example-message-poll')) expect(look).toMatchObject({ ...FINE, lang: 'en' })
    await page.goto(`${example.app.url}/messages`)
    for (const look of await lookAt(page, 'example-messages')) expect(look).toMatchObject({ ...FINE, lang: 'en' })
  })

  test('say the same without any script', async () => {
    const bare = await openVisitor(example.browser, { javaScriptEnabled: false })
    await send('invitation', TEST_NUMBERS)
    await page.getByText('Done: delivered to 2 of 4.').first().waitFor()
    await bare.page.goto(page.url())
    await choose(bare.page, 'alex')
    expect(await readable(bare.page)).toContain('Declined. Reach them another way.')
    await bare.close()
  })
})

/** As another tab in front of it does. */
async function hide(tab: Page): Promise<void> {
  await tab.evaluate(`(() => {
    Object.defineProperty(document, 'hidden', { value: true })
    document.dispatchEvent(new Event('visibilitychange'))
  })()`)
}
