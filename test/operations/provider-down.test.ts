import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, describe, expect, test } from '@jest/globals'
import { type Sandbox, startSandbox } from 'ppoppo-sandbox'
import { timed } from '../support/clock.js'
import { findFreePort } from '../support/redis.js'
import { startWorld, type World } from '../support/world.js'

/** A call to PAS ends after five seconds. */
const CALL_LIMIT_MS = 7_000

let sandbox: Sandbox
let world: World
afterEach(async () => {
  await world.close()
  await sandbox?.close()
})

async function start(): Promise<void> {
  sandbox = await startSandbox({ pasPort: 0, autoSignIn: 'alex' })
  world = await startWorld({ sandbox })
}

describe('C38 PAS at fault', () => {
  test('C38 down when the app starts: pages are served, login says 503, and works once PAS is there', async () => {
    const pasPort = await findFreePort()
    const issuer = `http://localhost:${pasPort}`
    sandbox = await startSandbox({ pasPort: 0 })
    world = await startWorld({ sandbox, options: { issuer } })
    const browser = world.browser()
    expect((await browser.visit(world.url)).text).toBe('home signed-out')
    for (let round = 0; round < 2; round += 1) {
      const { result, tookMs } = await timed(() => browser.visit(`${world.url}/auth/login?return_to=/page`))
      expect([result.status, result.cookies]).toEqual([503, []])
      expect(Number(result.headers.get('retry-after'))).toBeGreaterThan(0)
      expect(tookMs).toBeLessThan(2_000)
    }
    expect(world.events).toContainEqual(
      expect.objectContaining({ type: 'provider_fault', code: 'provider_unavailable' }),
    )

    await sandbox.close()
    sandbox = await startSandbox({ pasPort, autoSignIn: 'alex' })
    expect((await browser.go(`${world.url}/auth/login?return_to=/page`)).text).toContain('page of')
  })

  test.each(['jwks', 'token'] as const)(
    'C38 %s hangs during a sign-in: a page within its deadline, and the next sign-in works',
    async (endpoint) => {
      await start()
      sandbox.control.inject({ endpoint, fault: { kind: 'hang' } })
      const browser = world.browser()
      const { result, tookMs } = await timed(() => browser.go(`${world.url}/auth/login?return_to=/page`))
      expect(result.status).toBe(503)
      expect(tookMs).toBeLessThan(CALL_LIMIT_MS)
      expect((await browser.visit(`${world.url}/page`)).status).toBe(302)
      expect((await browser.go(`${world.url}/auth/login?return_to=/page`)).text).toContain('page of')
    },
  )

  test.each(['discovery', 'jwks', 'token', 'userinfo'] as const)(
    'C38 %s answers with 50 MB: cut off, and nobody is signed in',
    async (endpoint) => {
      await start()
      sandbox.control.inject({ endpoint, fault: { kind: 'huge' } })
      const browser = world.browser()
      const before = process.memoryUsage().rss
      const { result, tookMs } = await timed(() => browser.go(`${world.url}/auth/login?return_to=/page`))
      expect(result.status).toBe(503)
      expect(tookMs).toBeLessThan(CALL_LIMIT_MS)
      // The sandbox is in this process and has the 50 MB itself, as a text and as bytes.
      expect(process.memoryUsage().rss - before).toBeLessThan(400 * 1024 * 1024)
      expect((await browser.go(`${world.url}/auth/login?return_to=/page`)).text).toContain('page of')
    },
  )

  test.each(['token', 'userinfo', 'discovery'] as const)('C38 a redirect of %s is not followed', async (endpoint) => {
    await start()
    const visits: string[] = []
    const elsewhere = createServer((req, res) => {
      visits.push(`${req.method} ${req.url}`)
      res.end('{}')
    })
    await new Promise<void>((resolve) => elsewhere.listen(0, '127.0.0.1', resolve))
    const location = `http://127.0.0.1:${(elsewhere.address() as AddressInfo).port}/thief`
    for (const status of [302, 307, 308]) {
      const fault = status === 302 ? ({ kind: 'redirect', location } as const) : ({ kind: 'status', status } as const)
      sandbox.control.inject({ endpoint, fault })
      const landed = await world.browser().go(`${world.url}/auth/login?return_to=/page`)
      expect(landed.status).toBeGreaterThanOrEqual(endpoint === 'discovery' && status !== 302 ? 200 : 500)
    }
    expect(visits).toEqual([])
    elsewhere.closeAllConnections()
    elsewhere.close()
  })

  test('C38 PAS goes down while people are signed in: they stay, live calls say 503', async () => {
    await start()
    const browser = await world.signedIn()
    await sandbox.close()
    expect((await browser.visit(`${world.url}/page`)).status).toBe(200)
    expect((await browser.visit(`${world.url}/userinfo`)).status).toBe(503)
    const logout = await browser.visit(`${world.url}/auth/logout`, { method: 'POST' })
    expect(logout.status).toBe(303)
    expect((await browser.visit(`${world.url}/auth/session`)).text).toBe('{"signedIn":false}')
  })
})
