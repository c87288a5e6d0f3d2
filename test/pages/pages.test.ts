import { createHash } from 'node:crypto'
import { createRequire } from 'node:module'
import { describe, expect, test } from '@jest/globals'
import express, { type Express } from 'express'
import request from 'supertest'
import { LANGUAGES, mergeTexts } from '../../src/pages/languages.js'
import { createPages, PAGE_STATUS, type PageDetails } from '../../src/pages/pages.js'
import { LABEL_KEYS, PAGE_KINDS, type PageKind, type PageTextOverrides } from '../../src/pages/text-types.js'

/** Express 4 has no types here; what is used of it is the same. */
const express4 = createRequire(import.meta.url)('express4') as typeof express

const HOSTILE = `"><script>alert(1)</script><img src=x onerror='a'>\`&amp;\0`

/** An app that answers everything with one page. */
function appWith(kind: PageKind, details?: PageDetails, texts?: Record<string, PageTextOverrides>): Express {
  const pages = createPages({ mountPath: '/shop/auth', ...(texts === undefined ? {} : { texts }) })
  const app = express()
  app.use((req, res) => pages.send(req, res, kind, details))
  return app
}

/** The directives by name. */
function policyOf(header: string | undefined): Record<string, string> {
  return Object.fromEntries((header ?? '').split(';').map((part) => part.trim().split(/ (.*)/s).slice(0, 2)))
}

describe('page texts', () => {
  const texts = mergeTexts()
  test.each(Object.keys(LANGUAGES))('%s has every label and every page, and none is empty', (language) => {
    for (const label of LABEL_KEYS) expect(texts[language]?.[label]).toMatch(/\S/)
    for (const kind of PAGE_KINDS) {
      const page = texts[language]?.pages[kind]
      for (const key of ['title', 'what', 'todo', 'action'] as const) expect(page?.[key]).toMatch(/\S/)
      expect(page?.developer === undefined).toBe(texts.en.pages[kind].developer === undefined)
    }
    expect(Object.keys(texts[language] ?? {}).sort()).toEqual([...LABEL_KEYS, 'pages'].sort())
  })

  test('an app may change a text, and add a language that falls back to the app’s English', () => {
    const merged = mergeTexts({
      de: { signIn: 'Anmelden', pages: { denied: { title: 'Nein' } } },
      en: { back: 'No, stay' },
    })
    expect(merged['de']?.signIn).toBe('Anmelden')
    expect(merged['de']?.back).toBe('No, stay')
    expect(merged['de']?.pages.denied).toEqual({ ...texts.en.pages.denied, title: 'Nein' })
    expect(merged['ko']).toEqual(texts['ko'])
    expect(mergeTexts({ 'ko-KP': {} })['ko-KP']).toEqual(texts['ko'])
  })
})

describe('pages', () => {
  // In a frame of another site there is one link, which opens a tab.
  const outOfFrames = PAGE_KINDS.filter((kind) => kind !== 'framed')
  test.each(outOfFrames)('%s shows the name of the site and a link to its home', async (kind) => {
    const pages = createPages({ mountPath: '/shop/auth', homeUrl: 'https://app.example/shop/', appName: 'Bags & <Co>' })
    const app = express()
    app.use((req, res) => pages.send(req, res, kind))
    const { text } = await request(app).get('/')
    expect(text).toContain('<a class="site" href="https://app.example/shop/" dir="auto">Bags &amp; &lt;Co&gt;</a>')
  })

  test.each(PAGE_KINDS.flatMap((kind) => [[kind, 'en'] as const, [kind, 'ko'] as const]))(
    'page %s in %s has its texts, one action and no script',
    async (kind, language) => {
      const details = {
        correlationId: 'c-123',
        returnTo: 'https://app.example/basket?a=1&b=2',
        goOnUrl: 'https://pas.example/end?x=1&y=2',
      }
      const res = await request(appWith(kind, details)).get('/').set('Accept-Language', language)
      const text = mergeTexts()[language]?.pages[kind]
      expect(res.status).toBe(PAGE_STATUS[kind])
      expect(res.headers['content-type']).toBe('text/html; charset=utf-8')
      expect(res.headers['content-language']).toBe(language)
      expect(res.text).toContain(`<html lang="${language}"`)
      expect(res.text).toContain(`<h1>${text?.title}</h1>`)
      expect(res.text).toContain('<code>c-123</code>')
      expect(res.text).not.toMatch(/<script|\son\w+=|\sstyle=|javascript:|undefined|\[object/i)
      expect(res.text.match(/class="button"/g)).toHaveLength(1)
      expect('retry-after' in res.headers).toBe([503, 429].includes(res.status))
    },
  )

  test.each([
    ['ko-KR,ko;q=0.9,en;q=0.8', 'ko'],
    ['en-GB', 'en'],
    ['de', 'en'],
    ['de,ko;q=0.5', 'ko'],
    ['*', 'en'],
    ['', 'en'],
    ['\u00ff;;;=,,', 'en'],
  ])('Accept-Language %j is answered in %s', async (header, language) => {
    const res = await request(appWith('malformed')).get('/').set('Accept-Language', header)
    expect(res.headers['content-language']).toBe(language)
    expect(res.headers['vary']).toBe('Accept-Language, Accept')
  })

  test('uses a language that the app has added', async () => {
    const res = await request(appWith('denied', {}, { he: { pages: { denied: { title: 'לא' } } } }))
      .get('/')
      .set('Accept-Language', 'he')
    expect(res.text).toContain('<html lang="he" dir="rtl">')
    expect(res.text).toContain('<h1>לא</h1>')
  })

  test('sends a policy that allows its own stylesheet and nothing else', async () => {
    const res = await request(appWith('access_denied')).get('/')
    const style = /<style>(.*)<\/style>/s.exec(res.text)?.[1] ?? ''
    expect(policyOf(res.headers['content-security-policy'])).toEqual({
      'default-src': "'none'",
      'style-src': `'sha256-${createHash('sha256').update(style).digest('base64')}'`,
      'form-action': "'none'",
      'frame-ancestors': "'none'",
      'base-uri': "'none'",
    })
    expect(res.headers).toMatchObject({
      'cache-control': 'no-store',
      'referrer-policy': 'no-referrer',
      'x-content-type-options': 'nosniff',
      'x-frame-options': 'DENY',
    })
    expect(res.headers).not.toHaveProperty('strict-transport-security')
    expect(res.headers).not.toHaveProperty('x-powered-by')
  })

  test('C31 no page is ever stored', async () => {
    for (const kind of PAGE_KINDS) {
      const res = await request(appWith(kind)).get('/').set('If-None-Match', '*')
      expect([res.status, res.headers['cache-control'], res.headers['etag']]).toEqual([
        PAGE_STATUS[kind],
        'no-store',
        undefined,
      ])
    }
  })

  test('C11 C19 every page escapes external text', async () => {
    const details = {
      reason: HOSTILE,
      correlationId: HOSTILE,
      returnTo: `/x${HOSTILE}`,
      missingScopes: [HOSTILE],
      goOnUrl: `https://pas.example/${HOSTILE}`,
    }
    for (const kind of PAGE_KINDS) {
      const res = await request(appWith(kind, details)).get('/')
      expect(res.text).not.toMatch(/<script|<img|\0/)
      expect(res.text).toContain('&quot;&gt;&lt;script&gt;')
    }
  })

  test.each(['javascript:alert(1)', 'data:text/html,x', '//evil.example', '/\\evil.example'])(
    'links only to web URLs, not to %s',
    async (url) => {
      for (const kind of ['logout_go_on', 'logout_confirm'] as const) {
        const { text } = await request(appWith(kind, { goOnUrl: url, returnTo: url })).get('/')
        expect(text).not.toContain(`href="${url}`)
        expect(text).not.toContain('http-equiv')
      }
    },
  )

  test('C19 the button starts a new sign-in and keeps return_to', async () => {
    const { text } = await request(appWith('account_setup_required', { returnTo: '/a b?c=d&e=\ud800' })).get('/')
    const href = /class="button" rel="nofollow" href="([^"]+)"/.exec(text)?.[1]?.replaceAll('&amp;', '&') ?? ''
    const url = new URL(href, 'https://app.example')
    expect(url.pathname).toBe('/shop/auth/login')
    expect(url.searchParams.get('return_to')).toBe('/a b?c=d&e=\ufffd')
    expect((await request(appWith('access_denied')).get('/')).text).toContain('href="/shop/auth/login"')
    // With the same account it would end there again (X11).
    expect((await request(appWith('denied')).get('/')).text).toContain('href="/shop/auth/login?prompt=select_account"')
    expect((await request(appWith('logout_unavailable', { returnTo: '/x' })).get('/')).text).toContain(
      'href="/shop/auth/logout?return_to=%2Fx"',
    )
  })

  test('shows the app’s reason, the missing scopes, and one hint for the developer', async () => {
    const denied = await request(appWith('denied', { reason: `Staff only.\n${'x'.repeat(5_000)}` })).get('/')
    expect(denied.text).toContain('Staff only.')
    expect(denied.text.length).toBeLessThan(9_000)
    expect((await request(appWith('denied', { reason: ' ' })).get('/')).text).not.toContain('Reason given')
    const shortfall = await request(appWith('scope_shortfall', { missingScopes: ['email', 'poll'] })).get('/')
    expect(shortfall.text).toContain('<li><code>email</code></li><li><code>poll</code></li>')
    expect((await request(appWith('invalid_client')).get('/')).text).toContain('PPOPPO_CLIENT_ID')
    expect((await request(appWith('access_denied')).get('/')).text).not.toContain('developer')
  })

  test('C30 the confirmation page has a form and a link back to return_to', async () => {
    const res = await request(appWith('logout_confirm', { returnTo: 'https://www.app.example/x' })).get('/')
    expect(res.text).toContain('<form method="post" action="/shop/auth/logout">')
    expect(res.text).toContain('<input type="hidden" name="return_to" value="https://www.app.example/x">')
    expect(res.text).toContain('name="everywhere" value="1"')
    expect(res.text).toContain('<input type="hidden" name="go_on" value="1">')
    expect(policyOf(res.headers['content-security-policy'])['form-action']).toBe("'self' https://www.app.example")
    expect(res.headers['referrer-policy']).toBe('same-origin')
  })

  test('a form target that would change the policy is left out of it', async () => {
    const res = await request(appWith('logout_confirm', { returnTo: 'https://a;script-src *.example/' })).get('/')
    expect(policyOf(res.headers['content-security-policy'])['form-action']).toBe("'self'")
  })

  test('redirects to PAS after a sign-out', async () => {
    const res = await request(appWith('logout_go_on', { goOnUrl: 'https://pas.example/end?a=1&b=2' })).get('/')
    expect(res.text).toContain('<meta http-equiv="refresh" content="0; url=https://pas.example/end?a=1&amp;b=2">')
    expect(res.text).toContain('href="https://pas.example/end?a=1&amp;b=2"')
  })

  test('uses the status and Retry-After of the route', async () => {
    const res = await request(appWith('rate_limited', { status: 503, retryAfterSeconds: 0.2 })).get('/')
    expect([res.status, res.headers['retry-after']]).toEqual([503, '1'])
    expect((await request(appWith('rate_limited')).get('/')).headers['retry-after']).toBe('60')
  })

  test('C45 answers HEAD without a body, works on Express 4, and ends a response that has begun', async () => {
    const head = await request(appWith('denied')).head('/')
    expect([head.status, head.text]).toEqual([403, undefined])
    const pages = createPages({ mountPath: '/auth' })
    const app = express4()
    app.get('/begun', (req, res) => {
      res.write('begun')
      pages.send(req, res, 'denied')
    })
    app.use((req, res) => pages.send(req, res, 'denied'))
    expect((await request(app).get('/').set('Accept-Language', 'ko')).text).toContain('<html lang="ko"')
    expect((await request(app).get('/begun')).text).toBe('begun')
  })
})
