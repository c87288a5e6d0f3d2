import { describe } from '@jest/globals'
import type { Frame, Page } from 'playwright-core'
import { chromiumBin, launchBrowser } from './browser.js'
import { firefoxBin, launchFirefox } from './firefox.js'
import { createTab, type Tab, type TabBrowser } from './tabs.js'
import { until } from './until.js'

async function launchChromium(): Promise<TabBrowser> {
  const browser = await launchBrowser({ keepsPages: true })
  return {
    async newPerson() {
      const context = await browser.newContext({ ignoreHTTPSErrors: true })
      const newTab = async (): Promise<Tab> => tabOf(await context.newPage())
      const nthTab = async (count: number): Promise<Tab> =>
        tabOf(await until(() => context.pages()[count - 1], `there are ${count} tabs`))
      return { ...(await newTab()), newTab, nthTab }
    },
    close: () => browser.close(),
  }
}

function tabOf(page: Page, frame: Frame = page.mainFrame()): Tab {
  return createTab({
    async goto(url) {
      await frame.goto(url)
    },
    async evaluate(expression) {
      const text = await frame.evaluate<string>(`(async () => JSON.stringify({ value: await (${expression}) }))()`)
      return JSON.parse(text).value
    },
    async moveTo(x, y) {
      const box = frame.parentFrame() ? await (await frame.frameElement()).boundingBox() : undefined
      await page.mouse.move(x + (box?.x ?? 0), y + (box?.y ?? 0))
    },
    async clickAt(x, y, selector) {
      // A frame may be there before it can be hit, and Playwright waits for that. It loses sight of kept pages, though.
      if (frame.parentFrame()) await frame.click(selector)
      else await page.mouse.click(x, y)
    },
    // By the page's own history: Playwright's goBack() waits for a load that a kept page does not have.
    async goBack() {
      await frame.evaluate('setTimeout(() => history.back())')
    },
    async frame(part) {
      const child = await until(
        () => page.frames().find((one) => one.url().includes(part)),
        `there is a frame of ${part}`,
      )
      return tabOf(page, child)
    },
  })
}

const BROWSERS = [
  { name: 'Chromium', bin: chromiumBin, launch: launchChromium },
  { name: 'Firefox', bin: firefoxBin, launch: launchFirefox },
]

/**
 * `describe` in each browser, which is started by `launch`. Where a machine has none it is skipped, with the reason in
 * the name; with CI=true that is a fault.
 */
export function describeInBrowsers(name: string, tests: (launch: () => Promise<TabBrowser>) => void): void {
  for (const browser of BROWSERS) {
    if (browser.bin !== undefined) describe(`${name}, ${browser.name}`, () => tests(browser.launch))
    else if (process.env['CI'] === 'true') throw new Error(`with CI=true a ${browser.name} is required; none was found`)
    else describe.skip(`${name}, ${browser.name} (skipped: none found)`, () => tests(browser.launch))
  }
}
