import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals'
import type { Page } from 'playwright-core'
import { allowed } from '../../test/support/allowed.js'
import { describeWithBrowser, launchBrowser, type TestBrowser } from '../../test/support/browser.js'
import { type Sandbox, startSandbox } from '../src/index.js'

const POLL = { templateId: 'tpl_sandbox_poll', ppnums: ['77700000002'], vars: { name: 'Mina' } }

describeWithBrowser('the inbox page in Chromium', () => {
  let browser: TestBrowser
  let sandbox: Sandbox
  let page: Page
  const problems: string[] = []

  beforeAll(async () => {
    sandbox = await startSandbox({ pasPort: 0, pcsPort: 0, pcsHold: true })
    browser = await launchBrowser()
    page = await (await browser.newContext()).newPage()
    page.on('console', (message) => problems.push(message.text()))
    page.on('pageerror', (error) => problems.push(String(error)))
  })
  beforeEach(() => sandbox.reset())
  afterAll(async () => {
    await browser.close()
    await sandbox.close()
  })

  const message = () => page.locator('article', { hasText: 'Mina' })
  const press = (name: string) => message().getByRole('button', { name, exact: true }).click()

  test('a message sent is on the open page within a second', async () => {
    await page.goto(sandbox.inboxUrl ?? '')
    await page.getByText('Live', { exact: true }).waitFor()
    const sentAt = performance.now()
    await sandbox.seed({ messages: [POLL] })
    await message().waitFor()
    expect(performance.now() - sentAt).toBeLessThan(await allowed(1_000))
  })

  test('buttons deliver it, answer its poll, and ask for consent; focus stays with the message', async () => {
    await page.goto(sandbox.inboxUrl ?? '')
    await sandbox.seed({ messages: [POLL] })
    await press('Ask for consent')
    await press('Grant consent')
    await press('Noodles')
    await page.getByText('Answered: Noodles').waitFor()
    expect(await page.evaluate('document.activeElement?.tagName')).toBe('ARTICLE')
    expect(sandbox.control.pcs.events.map(({ event_type }) => event_type)).toEqual([
      'RECIPIENT_PENDING_CONSENT',
      'CONSENT_GRANTED',
      'RECIPIENT_DELIVERED',
      'REQUEST_COMPLETED',
      'POLL_RESPONSE_RECEIVED',
    ])
    expect(problems).toEqual([])
  })

  test('without scripts the same buttons work', async () => {
    const plain = await (await browser.newContext({ javaScriptEnabled: false })).newPage()
    await sandbox.seed({ messages: [POLL] })
    await plain.goto(sandbox.inboxUrl ?? '')
    await plain.getByRole('button', { name: 'Deliver', exact: true }).click()
    await plain.getByRole('button', { name: 'Pizza' }).click()
    await plain.getByText('Answered: Pizza').waitFor()
  })
})
