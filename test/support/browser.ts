import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe } from '@jest/globals'
import { type BrowserContext, chromium } from 'playwright-core'
import { findChromium } from '../../scripts/lib/find-binary.mjs'

/** The Chromium that browser tests drive; `undefined` where the machine has none. */
export const chromiumBin: string | undefined = process.env['TEST_CHROMIUM_BIN'] || findChromium()

/** Without these Chromium looks things up on the internet at every start. */
const ARGS = [
  '--no-sandbox', // in a container there is no user namespace to make one of
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]

/** A started browser. `newContext()` of it is a fresh person: no cookies, no cache. */
export interface TestBrowser {
  newContext(options?: Parameters<Browser['newContext']>[0]): Promise<BrowserContext>
  close(): Promise<void>
}

type Browser = Awaited<ReturnType<typeof chromium.launch>>

/**
 * Starts Chromium without a window and with an empty profile. Close it in `afterAll`.
 *
 * @param options.keepsPages whether a page one left is kept alive for the back button (bfcache), as at a person's.
 *   Playwright turns it off, since it loses sight of such pages.
 */
export async function launchBrowser({ keepsPages = false } = {}): Promise<TestBrowser> {
  if (chromiumBin === undefined) throw new Error('no Chromium found; use describeWithBrowser')
  // Chromium keeps crash reports and caches under HOME, whatever its profile is.
  const home = mkdtempSync(join(tmpdir(), 'ppoppo-browser-'))
  const browser = await chromium.launch({
    executablePath: chromiumBin,
    args: ARGS,
    ignoreDefaultArgs: keepsPages ? ['--disable-back-forward-cache'] : [],
    env: { ...process.env, HOME: home, XDG_CONFIG_HOME: home, XDG_CACHE_HOME: home, NODE_OPTIONS: '' },
  })
  return {
    newContext: (options) => browser.newContext(options),
    async close() {
      await browser.close()
      rmSync(home, { recursive: true, force: true, maxRetries: 3 })
    },
  }
}

/** `describe` for tests that need a browser: skipped, with the reason in the name, where there is none; with CI=true a fault. */
export function describeWithBrowser(name: string, tests: () => void): void {
  if (chromiumBin !== undefined) describe(name, tests)
  else if (process.env['CI'] === 'true') throw new Error('with CI=true a Chromium is required, and none was found')
  else describe.skip(`${name} (skipped: no Chromium found)`, tests)
}
