import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { startWorld, type World } from './support.js'

let world: World
let folder: string
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'example-app-'))
  world = await startWorld({ databaseFile: join(folder, 'example.db') })
})
afterAll(async () => {
  await world.close()
  rmSync(folder, { recursive: true })
})

describe('forms', () => {
  test.each([
    ['another site', { 'Sec-Fetch-Site': 'cross-site', Origin: 'https://evil.example' }],
    ['another origin of the same site', { 'Sec-Fetch-Site': 'same-site', Origin: 'http://localhost:1' }],
    ['a foreign page in an old browser', { Origin: 'https://evil.example' }],
    ['a sandboxed frame in an old browser', { Origin: 'null' }],
    ['a foreign page by a client that sends Referer alone', { Referer: 'https://evil.example/page' }],
    ['our own host over another scheme', { Origin: 'https://localhost' }],
  ])('from %s change nothing', async (_from, headers) => {
    const browser = world.browser()
    await browser.signIn()
    const { text } = await browser.post('/dashboard/name', { display_name: 'Mallory' }, headers).expect(403)
    expect(text).toContain('Cross-site request refused')
    await browser.post('/sign-ins/end-all', {}, headers).expect(403)
    expect((await browser.get('/api/me').expect(200)).body).toMatchObject({ account: { displayName: null } })
  })

  test.each([
    ['our page', { 'Sec-Fetch-Site': 'same-origin' }],
    ['the person, by reloading', { 'Sec-Fetch-Site': 'none' }],
    ['no browser at all', {}],
  ])('from %s are taken', async (_from, headers) => {
    const browser = world.browser()
    await browser.signIn()
    await browser.post('/dashboard/name', { display_name: '' }, headers).expect(303)
  })

  test('from our page in an old browser are taken', async () => {
    const browser = world.browser()
    await browser.signIn()
    await browser.post('/dashboard/name', { display_name: '' }, { Origin: world.url }).expect(303)
  })
})

describe('every answer', () => {
  test.each(['/', '/nope', '/style.css'])('%s carries the strict policy', async (path) => {
    const { headers } = await world.browser().get(path)
    const policy = String(headers['content-security-policy'])
    for (const rule of ["default-src 'none'", "script-src 'self'", "style-src 'self'", "frame-ancestors 'none'"]) {
      expect(policy).toContain(rule)
    }
    expect(policy).not.toContain('unsafe')
    expect(headers['x-powered-by']).toBeUndefined()
  })

  test('no page has anything inline that the policy would stop', async () => {
    const browser = world.browser()
    await browser.signIn()
    for (const path of ['/', '/dashboard', '/messages', '/sign-ins', '/nope']) {
      const { text } = await browser.get(path).redirects(1)
      expect(text).not.toMatch(/ style=| on[a-z]+="|<style|<script(?![^>]* src=)/)
    }
  })

  test('the health check needs no session', async () => {
    const { headers } = await world.browser().get('/healthz').expect(200, { ok: true })
    expect(headers['set-cookie']).toBeUndefined()
  })

  test('the check for the load balancer fails while the store is down, and the other one does not', async () => {
    await world.browser().signIn()
    const ready = await world.browser().get('/readyz').expect(200, { store: 'up' })
    expect(ready.headers['set-cookie']).toBeUndefined()
    const withoutStore = await startWorld({ redis: 'redis://127.0.0.1:1' })
    try {
      await withoutStore.browser().get('/auth/login').expect(503)
      await withoutStore.browser().get('/readyz').expect(503, { store: 'down' })
      await withoutStore.browser().get('/healthz').expect(200)
    } finally {
      await withoutStore.close()
    }
  })
})

describe('errors', () => {
  test('an unknown path gets a page of the app, and JSON for programs', async () => {
    const page = await world.browser().get('/nope').expect(404)
    expect(page.text).toContain('There is nothing here')
    const { headers, text } = await world.browser().get('/nope').set('Accept', '*/*').expect(404)
    expect(headers['content-type']).toContain('application/problem+json')
    expect(JSON.parse(text)).toMatchObject({ status: 404 })
  })

  test('a form that is too large is the sender’s fault', async () => {
    const browser = world.browser()
    await browser.signIn()
    await browser.post('/dashboard/name', { display_name: 'x'.repeat(20_000) }).expect(413)
  })

  test('a bug shows no stack, and is logged whole', async () => {
    const browser = world.browser()
    await browser.signIn()
    world.database.exec('ALTER TABLE users RENAME TO elsewhere')
    try {
      const { text } = await browser.get('/dashboard').expect(500)
      expect(text).toContain('Something went wrong')
      expect(text).not.toMatch(/no such table|at .*\.ts:/)
      expect(world.errors.splice(0)).toHaveLength(1)
    } finally {
      world.database.exec('ALTER TABLE elsewhere RENAME TO users')
    }
  })
})

describe('after all of this', () => {
  test('the database holds sub and ppnum, and no e-mail address or token', () => {
    const bytes = readdirSync(folder)
      .map((name) => readFileSync(join(folder, name), 'latin1'))
      .join('')
    expect(bytes).toContain('01J9Z3K8Q2W4E6R8T0Y2V4X6A1')
    expect(bytes).not.toContain('example.test')
    expect(world.sandbox.control.issuedTokens.length).toBeGreaterThan(0)
    for (const { value } of world.sandbox.control.issuedTokens) expect(bytes).not.toContain(value)
  })
})
