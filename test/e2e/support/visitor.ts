import type { BrowserContext, Locator, Page } from 'playwright-core'
import type { TestBrowser } from '../../support/browser.js'

/** Long enough for a busy machine, and short enough for a test to say where it hangs. */
export const STEP_MS = 60_000

/** Somebody in front of a browser. */
export interface Visitor {
  readonly context: BrowserContext
  readonly page: Page
  /** What the console of any tab complained of, refusals by a content security policy among it. */
  readonly complaints: string[]
  newTab(): Promise<Page>
  close(): Promise<void>
}

/** A fresh person: no cookies, no cache. `expected` are complaints that belong to the test. */
export async function openVisitor(
  browser: TestBrowser,
  options: Parameters<TestBrowser['newContext']>[0] = {},
  expected = /^Failed to load resource: the server responded with a status of [45]\d\d/,
): Promise<Visitor> {
  const context = await browser.newContext(options)
  context.setDefaultTimeout(STEP_MS)
  const complaints: string[] = []
  context.on('console', (message) => {
    if (['error', 'warning'].includes(message.type()) && !expected.test(message.text())) complaints.push(message.text())
  })
  context.on('weberror', (error) => complaints.push(String(error.error())))
  return {
    context,
    complaints,
    page: await context.newPage(),
    newTab: () => context.newPage(),
    close: () => context.close(),
  }
}

/** Presses somebody's button on the sandbox's page. */
export async function choose(page: Page, person: string): Promise<void> {
  const button = page.locator(`button[name=person][value=${person}]`)
  // By now the page is there: something else in its place is to be told at once, and not after a time limit.
  if ((await button.count()) === 0) throw new Error(`not the sign-in page, but ${page.url()}: ${await readable(page)}`)
  await button.click()
}

/** Waits until the tab shows `path` of the app, query included. */
export async function landsOn(page: Page, url: string): Promise<void> {
  await page.waitForURL(url)
}

export const heading = async (page: Page): Promise<string> => (await page.locator('h1').textContent()) ?? ''

/** What a person can read. */
export const readable = (page: Page): Promise<string> => page.locator('body').innerText()

/** The status of what the tab was sent to. */
export async function visit(page: Page, url: string): Promise<number> {
  const response = await page.goto(url)
  return response?.status() ?? 0
}

/** A computed style, as the browser spells it. */
export async function styleOf(element: Locator, property: string): Promise<string> {
  return element.evaluate(
    (node, name) => String(Reflect.get(globalThis, 'getComputedStyle')(node).getPropertyValue(name)),
    property,
  )
}
