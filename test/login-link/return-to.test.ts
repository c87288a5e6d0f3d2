import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { createReturnTo, MAX_RETURN_TO_LENGTH } from '../../src/login-link/return-to.js'
import { CookieBrowser } from '../support/cookie-browser.js'
import { startWorld, type World } from '../support/world.js'

const ORIGIN = 'https://app.example'
const PARTNER = 'https://partner.example:8443'
const toReturnTo = createReturnTo({
  config: { origin: ORIGIN, mountPath: '/auth', allowedReturnOrigins: [PARTNER] },
})

/** Anything a browser may take for another place, or that leads round in a circle. */
const TRICKS: readonly unknown[] = [
  '//e.example',
  '/\\e.example',
  '\\\\e.example',
  '\\/e.example',
  '/\\/e.example',
  '///e.example',
  '////e.example/..',
  'https:e.example',
  'https:/e.example',
  'https:///e.example',
  'https:\\\\e.example',
  'http:app.example',
  'HtTpS://e.example',
  'javascript:alert(1)',
  'JAVASCRIPT://app.example/%0aalert(1)',
  'data:text/html,x',
  'blob:https://app.example/x',
  'file:///etc/passwd',
  'view-source:https://app.example',
  '/\te.example',
  '/\t/e.example',
  '\t//e.example',
  ' //e.example',
  '/ /e.example',
  '/\n/e.example',
  '/\r\nSet-Cookie: a=b',
  '/a\0b',
  '/%2f%2fe.example',
  '/%2F/e.example',
  '%2f%2fe.example',
  '/%2f%2fe.example/%',
  '/%5ce.example',
  '/%5c%5ce.example',
  '/.//e.example',
  '/..//e.example',
  '/a/..//e.example',
  '/a/b/../..//e.example',
  '/%2e//e.example',
  '/%2E%2e//e.example',
  '/a/%2e%2e//e.example',
  '/.%2e/%2fe.example',
  'https://app.example@e.example',
  'https://app.example:443@e.example/',
  'https://user@app.example/',
  'https://user:word@app.example/',
  'https://app.example:8443/',
  'https://app.example:80',
  'http://app.example/',
  'https://app.example.e.example/',
  'https://e.example/app.example',
  'https://e.example#app.example',
  'https://e.example?https://app.example',
  'https://xapp.example',
  'https://аpp.example/',
  'https://app.exámple/',
  'https://app.example%2ee.example/',
  'https://[::1]/',
  'https://app.example:99999/',
  'https://partner.example/',
  'http://partner.example:8443/',
  'https://partner.example:8443//e.example',
  'https://user@partner.example:8443/',
  '?a=1',
  '#a',
  'a',
  'app.example',
  '.',
  '',
  '/auth',
  '/auth/',
  '/auth?x',
  '/auth/login',
  '/auth/login?return_to=/auth/login',
  '/auth/callback?state=a&error=b',
  '/AUTH/Login',
  '/a/../auth/login',
  '/./auth/logout',
  '/%61uth/login',
  '/auth%2flogin',
  '/%61uth/login%zz',
  'https://app.example/auth/logout',
  `/${'a'.repeat(10 * 1024)}`,
  `/${'가'.repeat(1_000)}`,
  `/?q=${'\u{1f600}'.repeat(500)}`,
  undefined,
  null,
  42,
  true,
  {},
  [],
  ['/me'],
  ['/me', '//e.example'],
  { toString: () => '/me' },
  Symbol('x'),
]

describe('createReturnTo', () => {
  test.each(TRICKS.map((trick) => [typeof trick === 'string' ? trick.slice(0, 60) : String(trick), trick]))(
    'C06 %j becomes the home URL',
    (_name, trick) => expect(toReturnTo(trick)).toBe(`${ORIGIN}/`),
  )

  test.each([
    ['/', `${ORIGIN}/`],
    ['/me', `${ORIGIN}/me`],
    ['/me?a=1&b=%2F%2Fe#top', `${ORIGIN}/me?a=1&b=%2F%2Fe#top`],
    ['/me?next=//e.example', `${ORIGIN}/me?next=//e.example`],
    ['/a/./b/../c', `${ORIGIN}/a/c`],
    ['/a//b', `${ORIGIN}/a//b`],
    ['/내/페이지', `${ORIGIN}/${encodeURIComponent('내')}/${encodeURIComponent('페이지')}`],
    ['/100%', `${ORIGIN}/100%`],
    [`/${'가'.repeat(230)}`, `${ORIGIN}/${encodeURIComponent('가'.repeat(230))}`],
    [`/${encodeURIComponent('가'.repeat(230))}`, `${ORIGIN}/${encodeURIComponent('가'.repeat(230))}`],
    ['/authors', `${ORIGIN}/authors`],
    ['/x/auth/login', `${ORIGIN}/x/auth/login`],
    ['https://app.example', `${ORIGIN}/`],
    ['HTTPS://APP.EXAMPLE:443/x', `${ORIGIN}/x`],
    ['//app.example/x', `${ORIGIN}/x`],
    ['https://partner.example:8443/cart?a=1', `${PARTNER}/cart?a=1`],
    ['https://partner.example:8443/auth/x', `${PARTNER}/auth/x`],
  ])('C06 %j is kept', (wanted, expected) => expect(toReturnTo(wanted)).toBe(expected))

  test('C06 any input results in an absolute URL that is ours or allowed, short, and stable', () => {
    const piece = fc.constantFrom(
      ...[
        '/',
        '//',
        '\\',
        '.',
        '..',
        '%2e',
        '%2f',
        '%5c',
        '@',
        ':',
        '?',
        '#',
        'e.example',
        'app.example',
        'https:',
        '\t',
      ],
      ...[
        'auth',
        '%61uth',
        'login',
        'partner.example:8443',
        '%',
        '\u2028',
        '／',
        '。',
        'é',
        '\ud800',
        '[',
        ']',
        ';',
        ' ',
      ],
    )
    const hostile = fc.array(piece, { maxLength: 12 }).map((pieces) => pieces.join(''))
    const any = fc.oneof(
      hostile,
      hostile.map((text) => `/${text}`),
      fc.string({ unit: 'binary' }),
      fc.webUrl(),
      fc.anything(),
    )
    fc.assert(
      fc.property(any, (wanted) => {
        const target = toReturnTo(wanted)
        expect(target.length).toBeLessThanOrEqual(MAX_RETURN_TO_LENGTH)
        expect(target).toMatch(/^https:\/\/(app\.example|partner\.example:8443)\/(?![/\\])[\x21-\x7e]*$/)
        const url = new URL(target)
        expect(url.href).toBe(target)
        expect([url.username, url.password]).toEqual(['', ''])
        if (url.origin === ORIGIN) expect(url.pathname.replaceAll('%61', 'a')).not.toMatch(/^\/auth(\/|%2f|$)/i)
        expect(toReturnTo(target)).toBe(target)
      }),
      { numRuns: 2_000 },
    )
  })
})

describe('return_to of the login route', () => {
  let world: World
  beforeAll(async () => {
    world = await startWorld({ options: { rateLimit: false } })
  })
  afterAll(() => world.close())

  /** Where a sign-in begun with this query ends. */
  async function landing(query: string): Promise<string> {
    const browser = new CookieBrowser()
    const toPas = await browser.visit(`${world.url}/auth/login${query}`)
    expect(toPas.status).toBe(302)
    const callback = await browser.visit(toPas.location)
    const landed = await browser.visit(callback.location)
    expect(landed.status).toBe(303)
    return landed.headers.get('location') ?? ''
  }

  test.each([
    '//e.example',
    '/\\e.example',
    '/%2e//e.example',
    'https:e.example',
    '/a\0b',
    '/auth/login',
    'x'.repeat(9_000),
  ])('C06 over HTTP, %j redirects home', async (trick) =>
    expect(await landing(`?return_to=${encodeURIComponent(trick)}`)).toBe(`${world.url}/`),
  )

  test.each([
    '?return_to=/me&return_to=/page',
    '?return_to[]=/me',
    '?return_to[a]=/me',
    '?return_to=',
    '?return_to',
    '',
  ])('C06 over HTTP, the query %j redirects home', async (query) => expect(await landing(query)).toBe(`${world.url}/`))

  test('C06 over HTTP, a valid return_to is kept, and Location is absolute', async () => {
    expect(await landing(`?return_to=${encodeURIComponent('/me?a=1#x')}`)).toBe(`${world.url}/me?a=1#x`)
  })
})
