import { describe, expect, test } from '@jest/globals'
import express, { type Express } from 'express'
import request from 'supertest'
import { createButton, type SignInButtonOptions } from '../../src/button/button.js'
import { isPpoppoError } from '../../src/errors.js'

const HOSTILE = `"><script>alert(1)</script>\u2028'`
const button = createButton({ mountPath: '/shop/auth', origin: 'https://app.example' })

function appWith(one = button): Express {
  const app = express()
  app.get('/button.js', one.sendScript)
  app.get('/button.css', one.sendStylesheet)
  app.get('/button', one.sendFragment)
  return app
}

/** What of the link matters, taken apart. */
function parseLink(text: string): Record<string, string | undefined> {
  const attribute = (name: string): string | undefined =>
    new RegExp(` ${name}="([^"]*)"`).exec(text.slice(0, text.indexOf('>')))?.[1]
  return {
    href: attribute('href'),
    class: attribute('class'),
    theme: attribute('data-theme'),
    lang: attribute('lang'),
    label: /<span>(.*)<\/span><\/a>$/s.exec(text)?.[1],
  }
}

describe('signInButton', () => {
  test('returns a link to login, in English, with the system theme', () => {
    expect(parseLink(button.html())).toEqual({
      href: 'https://app.example/shop/auth/login',
      class: 'ppoppo-sign-in',
      theme: 'auto',
      lang: 'en',
      label: 'Sign in with Ppoppo',
    })
    expect(button.html()).not.toMatch(/<form|<script|style=|\son\w+=/)
  })

  test('accepts returnTo, lang, theme, className and label', () => {
    const link = parseLink(button.html({ returnTo: '/a b?c=d&e=f#g', lang: 'ko-KR', theme: 'dark', className: 'wide' }))
    expect(link).toMatchObject({ class: 'ppoppo-sign-in wide', theme: 'dark', lang: 'ko', label: 'Ppoppo로 로그인' })
    const url = new URL(link['href'] ?? '', 'https://app.example')
    expect([...url.searchParams]).toEqual([['return_to', '/a b?c=d&e=f#g']])
    expect(parseLink(button.html({ label: 'Go' }))['label']).toBe('Go')
  })

  test('supports the languages that the app has texts for, otherwise English', () => {
    const own = createButton({
      mountPath: '/auth',
      origin: 'https://app.example',
      texts: { de: { signIn: 'Mit Ppoppo anmelden' } },
    })
    expect(parseLink(own.html({ lang: 'de-AT' }))).toMatchObject({ lang: 'de', label: 'Mit Ppoppo anmelden' })
    expect(parseLink(own.html({ lang: 'fr' }))).toMatchObject({ lang: 'en', label: 'Sign in with Ppoppo' })
    expect(parseLink(own.html({ lang: 'constructor' }))['lang']).toBe('en')
    expect(own.assets.js).toContain('Mit Ppoppo anmelden')
  })

  test.each<[keyof SignInButtonOptions]>([['returnTo'], ['lang'], ['label'], ['className']])(
    'C11 escapes a hostile %s',
    (name) => {
      const text = button.html({ [name]: `${HOSTILE}\ud800` })
      expect(text).not.toContain('<script')
      expect(text.match(/<a /g)).toHaveLength(1)
    },
  )

  test.each([
    [{ retrunTo: '/' }, 'signInButton: "retrunTo" is not an option; did you mean "returnTo"?'],
    [{ zzzzzzzz: 1 }, 'signInButton: "zzzzzzzz" is not an option; known are: returnTo, lang, theme, label, className'],
    [{ theme: 'red' }, 'signInButton: "theme" must be "auto", "light" or "dark"'],
    [{ label: 7 }, 'signInButton: "label" must be a string'],
  ])('rejects %j', (options, message) => {
    const attempt = (): string => button.html(options as SignInButtonOptions)
    expect(attempt).toThrow(message)
    try {
      attempt()
    } catch (error) {
      expect(isPpoppoError(error, 'config_invalid')).toBe(true)
    }
  })
})

describe('button routes', () => {
  test.each([
    ['/button.js', 'text/javascript; charset=utf-8'],
    ['/button.css', 'text/css; charset=utf-8'],
    ['/button', 'text/html; charset=utf-8'],
  ])('%s is the same for everybody, cacheable, and usable from other origins', async (path, type) => {
    const first = await request(appWith()).get(path).set('Accept-Language', 'ko').set('Cookie', 'a=b')
    expect(first.status).toBe(200)
    expect(first.headers).toMatchObject({
      'content-type': type,
      'cache-control': 'public, max-age=3600, stale-while-revalidate=86400',
      'cross-origin-resource-policy': 'cross-origin',
      'access-control-allow-origin': '*',
      'x-content-type-options': 'nosniff',
    })
    expect(first.headers).not.toHaveProperty('set-cookie')
    expect(first.headers).not.toHaveProperty('vary')
    const second = await request(appWith()).get(path).set('Accept-Language', 'en')
    expect(second.text).toBe(first.text)
    const again = await request(appWith()).get(path).set('If-None-Match', String(first.headers['etag']))
    expect([again.status, again.text]).toEqual([304, ''])
    expect((await request(appWith()).head(path)).headers['etag']).toBe(first.headers['etag'])
  })

  test('the ETag changes with the content', async () => {
    const other = createButton({ mountPath: '/auth', origin: 'https://other.example' })
    for (const path of ['/button.js', '/button']) {
      const [one, two] = await Promise.all([request(appWith()).get(path), request(appWith(other)).get(path)])
      expect(one.headers['etag']).not.toBe(two.headers['etag'])
    }
  })

  test('the fragment links to our origin, in the language of the query', async () => {
    const { text } = await request(appWith()).get('/button?lang=ko&return_to=%2Fx%3Fa%3D1%26b&theme=dark')
    expect(parseLink(text)).toMatchObject({ lang: 'ko', theme: 'dark', label: 'Ppoppo로 로그인' })
    expect(parseLink(text)['href']).toBe('https://app.example/shop/auth/login?return_to=%2Fx%3Fa%3D1%26b')
  })

  test.each([
    `?return_to=${encodeURIComponent(HOSTILE)}&lang=${encodeURIComponent(HOSTILE)}&theme=${encodeURIComponent(HOSTILE)}`,
    '?return_to=a&return_to=b&lang[]=x&theme[a]=b',
    `?return_to=${'x'.repeat(5_000)}`,
    '?label=<b>Free+money</b>&className=x',
    '?return_to=%00%ff%ed%a0%80',
  ])('C11 the fragment ignores or escapes %.60s', async (query) => {
    const { status, text } = await request(appWith()).get(`/button${query}`)
    expect(status).toBe(200)
    expect(text).not.toMatch(/<script|<b>|Free/)
    expect(parseLink(text)).toMatchObject({
      class: 'ppoppo-sign-in',
      theme: 'auto',
      lang: 'en',
      label: 'Sign in with Ppoppo',
    })
    expect(text.length).toBeLessThan(1_200)
  })

  test('the script is valid, and its texts cannot close a script element', async () => {
    const own = createButton({
      mountPath: '/auth',
      origin: 'https://app.example',
      texts: { de: { signIn: `</script>${HOSTILE}` } },
    })
    const { text } = await request(appWith(own)).get('/button.js')
    expect(() => new Function(text)).not.toThrow()
    expect(text).not.toMatch(/<\/script|\u2028/)
    expect(text).toContain('"https://app.example/auth"')
  })

  test('the stylesheet sets a height of 44 px and a focus ring, and loads nothing', () => {
    expect(button.assets.css).toMatch(/min-height:44px/)
    expect(button.assets.css).toMatch(/:focus-visible\{outline:3px/)
    expect(button.assets.css).not.toMatch(/url\(|@import/)
  })
})
