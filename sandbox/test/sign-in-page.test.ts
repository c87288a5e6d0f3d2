import { describe, expect, test } from '@jest/globals'
import { testPeople } from '../src/index.js'
import { beginAttempt, discover, locationOf, press, sandboxFor } from './support.js'

describe('the sign-in page', () => {
  test('lists the people and "deny", runs no script, and may redirect to any app', async () => {
    const sandbox = await sandboxFor()
    const { url } = await beginAttempt(await discover(sandbox))
    const response = await fetch(url)
    const html = await response.text()
    for (const { key } of testPeople) expect(html).toContain(`<button name="person" value="${key}">`)
    expect(html).toContain('<button class="deny" name="person" value="deny">')
    expect(html).not.toContain('<script')
    const policy = response.headers.get('content-security-policy') ?? ''
    expect(policy).toContain("default-src 'none'")
    expect(policy).not.toContain('form-action')
    expect([response.headers.get('cache-control'), response.headers.getSetCookie()]).toEqual(['no-store', []])
  })

  test('its form alone is enough: hidden fields and one button', async () => {
    const sandbox = await sandboxFor()
    const { url, checks } = await beginAttempt(await discover(sandbox), {
      prompt: 'login',
      resource: 'https://x.test/a',
    })
    const html = await (await fetch(url)).text()
    const [, action = ''] = /<form method="post" action="([^"]+)">/.exec(html) ?? []
    const fields = [...html.matchAll(/<input type="hidden" name="([^"]+)" value="([^"]*)">/g)]
    const body = new URLSearchParams(fields.map(([, name = '', value = '']): [string, string] => [name, value]))
    expect(body.get('resource')).toBe('https://x.test/a')
    body.set('person', 'mina')
    const response = await fetch(new URL(action, url), { method: 'POST', body, redirect: 'manual' })
    const { searchParams } = locationOf(response)
    expect(searchParams.get('state')).toBe(checks.expectedState)
    expect(searchParams.get('code')).toBeTruthy()
  })

  test('what the app sends is escaped', async () => {
    const sandbox = await sandboxFor()
    const { url } = await beginAttempt(await discover(sandbox), { state: '"><script>alert(1)</script>' })
    expect(await (await fetch(url)).text()).toContain('value="&quot;&gt;&lt;script&gt;')
  })

  test('nobody by that name is an error to the app; a person in the query is not listened to', async () => {
    const sandbox = await sandboxFor()
    const { url } = await beginAttempt(await discover(sandbox))
    expect(locationOf(await press(url, 'bob')).searchParams.get('error')).toBe('invalid_request')
    url.searchParams.set('person', 'alex')
    expect((await fetch(url, { redirect: 'manual' })).status).toBe(200)
  })

  test('rememberBrowser asks once; prompt=login asks all the same', async () => {
    const sandbox = await sandboxFor({ rememberBrowser: true })
    const config = await discover(sandbox)
    const [cookie = ''] = (await press((await beginAttempt(config)).url, 'mina')).headers.getSetCookie()
    const headers = { Cookie: cookie.split(';')[0] ?? '' }
    const again = await fetch((await beginAttempt(config)).url, { headers, redirect: 'manual' })
    expect(locationOf(again).searchParams.get('code')).toBeTruthy()
    const asked = await fetch((await beginAttempt(config, { prompt: 'login' })).url, { headers, redirect: 'manual' })
    expect(asked.status).toBe(200)
  })

  test('the home page of the sandbox says what it is', async () => {
    const { issuer } = await sandboxFor()
    expect(await (await fetch(issuer)).text()).toContain('not for production')
  })
})
