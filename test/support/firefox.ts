import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { findFirefox } from '../../scripts/lib/find-binary.mjs'
import { isPlainObject } from '../../src/lib/guards.js'
import { type Bidi, connectBidi } from './bidi.js'
import { createTab, type Tab, type TabBrowser } from './tabs.js'
import { untilWorks } from './until.js'

/** The Firefox that browser tests drive; `undefined` where the machine has none. */
export const firefoxBin: string | undefined = process.env['TEST_FIREFOX_BIN'] || findFirefox()

const START_MS = 120_000

/** What Firefox would look up on the internet; its remote agent turns off the rest by itself. */
const PREFS = {
  'network.captive-portal-service.enabled': false,
  'network.connectivity-service.enabled': false,
  'services.settings.server': 'data:,#remote-settings-dummy/v1',
  'datareporting.policy.dataSubmissionEnabled': false,
  'browser.safebrowsing.downloads.remote.enabled': false,
}

/** Starts Firefox without a window and with an empty profile. Close it in `afterAll`. */
export async function launchFirefox(): Promise<TabBrowser> {
  if (firefoxBin === undefined) throw new Error('no Firefox found; use describeInBrowsers')
  const home = mkdtempSync(join(tmpdir(), 'ppoppo-firefox-'))
  const prefs = Object.entries(PREFS).map(
    (pref) => `user_pref(${pref.map((part) => JSON.stringify(part)).join(', ')});`,
  )
  writeFileSync(join(home, 'user.js'), prefs.join('\n'))
  const args = ['--headless', '--no-remote', '--remote-debugging-port=0', '--profile', home]
  const child = spawn(firefoxBin, args, {
    // Firefox keeps more than its profile under HOME.
    env: { ...process.env, HOME: home, XDG_CONFIG_HOME: home, XDG_CACHE_HOME: home, NODE_OPTIONS: '' },
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  const bidi = await connectBidi(`${await addressOf(child)}/session`)
  await bidi.send('session.new', { capabilities: { alwaysMatch: { acceptInsecureCerts: true } } })
  return {
    async newPerson() {
      const { userContext } = await bidi.send('browser.createUserContext')
      const newTab = async (): Promise<Tab> => {
        const { context } = await bidi.send('browsingContext.create', { type: 'tab', userContext })
        return tabOf(bidi, String(context))
      }
      const tabs = async () =>
        topLevelIn(await bidi.send('browsingContext.getTree')).filter((one) => one.userContext === userContext)
      const nthTab = async (count: number): Promise<Tab> => {
        const opened = await untilWorks(
          async () => ((await tabs()).length >= count ? tabs() : undefined),
          `there are ${count} tabs`,
        )
        return tabOf(bidi, opened[count - 1]?.context ?? '')
      }
      return { ...(await newTab()), newTab, nthTab }
    },
    async close() {
      const isGone = once(child, 'exit')
      await bidi.send('browser.close').catch(() => child.kill('SIGKILL'))
      bidi.close()
      if (child.exitCode === null && child.signalCode === null) await isGone
      rmSync(home, { recursive: true, force: true, maxRetries: 5 })
    },
  }
}

/** Where it listens, as it prints it. */
async function addressOf(child: ChildProcess): Promise<string> {
  if (!child.stderr) throw new Error('Firefox has no stderr')
  const timer = setTimeout(() => child.kill('SIGKILL'), START_MS)
  try {
    for await (const line of createInterface({ input: child.stderr })) {
      const address = /WebDriver BiDi listening on (ws:\/\/\S+)/.exec(line)?.[1]
      if (address !== undefined) return address
    }
    throw new Error(`Firefox ended, or did not listen within ${START_MS / 1000} s`)
  } finally {
    clearTimeout(timer)
    child.stderr.resume()
  }
}

function tabOf(bidi: Bidi, context: string): Tab {
  async function evaluate(expression: string): Promise<unknown> {
    const { type, result, exceptionDetails } = await bidi.send('script.evaluate', {
      // `undefined` has no JSON.
      expression: `(async () => JSON.stringify({ value: await (${expression}) }))()`,
      target: { context },
      awaitPromise: true,
    })
    if (type !== 'success' || !isPlainObject(result))
      throw new Error(`in the page: ${JSON.stringify(exceptionDetails)}`)
    return JSON.parse(String(result['value'])).value
  }

  async function useMouse(...actions: readonly Readonly<Record<string, unknown>>[]): Promise<void> {
    await bidi.send('input.performActions', { context, actions: [{ type: 'pointer', id: 'mouse', actions }] })
  }

  return createTab({
    evaluate,
    async goto(url) {
      await bidi.send('browsingContext.navigate', { context, url, wait: 'complete' })
    },
    moveTo: (x, y) => useMouse({ type: 'pointerMove', x, y }),
    clickAt: (x, y) =>
      useMouse({ type: 'pointerMove', x, y }, { type: 'pointerDown', button: 0 }, { type: 'pointerUp', button: 0 }),
    async goBack() {
      await bidi.send('browsingContext.traverseHistory', { context, delta: -1 })
    },
    async frame(part) {
      const frames = async () => framesIn(await bidi.send('browsingContext.getTree', { root: context }))
      const frame = await untilWorks(
        async () => (await frames()).find(({ url }) => url.includes(part)),
        `there is a frame of ${part}`,
      )
      return tabOf(bidi, frame.context)
    },
  })
}

interface Context {
  readonly context: string
  readonly url: string
  readonly userContext: unknown
  readonly children: unknown
}

function topLevelIn({ contexts }: Readonly<Record<string, unknown>>): readonly Context[] {
  if (!Array.isArray(contexts)) return []
  return contexts.filter(isPlainObject).map(({ context, url, userContext, children }) => {
    return { context: String(context), url: String(url), userContext, children }
  })
}

function framesIn(tree: Readonly<Record<string, unknown>>): readonly Context[] {
  return topLevelIn(tree).flatMap((one) => [one, ...framesIn({ contexts: one.children })])
}
