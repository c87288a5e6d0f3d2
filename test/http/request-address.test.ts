import { describe, expect, test } from '@jest/globals'
import { type AddressedRequest, createRequestAddress, type RequestAddress } from '../../src/http/request-address.js'
import { createReturnTo } from '../../src/login-link/return-to.js'

const ORIGIN = 'https://app.example'

interface Paths {
  readonly mountPath: string
  readonly basePath: string
  readonly strippedPrefix: string
}

const addressFor = (paths: Paths): RequestAddress => createRequestAddress({ origin: ORIGIN, ...paths })

/** A request as it comes to `app.use(auth)`. */
const asked = (url: string): AddressedRequest => ({ url, originalUrl: url, baseUrl: '' })

const ROOT = addressFor({ mountPath: '/auth', basePath: '', strippedPrefix: '' })
const SHOP = addressFor({ mountPath: '/shop/auth', basePath: '/shop', strippedPrefix: '' })
const DETECTS = addressFor({ mountPath: '/shop/auth', basePath: '/shop', strippedPrefix: 'detect' })
const STRIPS = addressFor({ mountPath: '/shop/auth', basePath: '/shop', strippedPrefix: '/shop' })
const WHOLE = addressFor({ mountPath: '/shop/auth', basePath: '/shop/auth', strippedPrefix: 'detect' })
const GATE = addressFor({ mountPath: '/gate/shop/auth', basePath: '/gate/shop', strippedPrefix: '/gate' })

describe('which requests are for our routes', () => {
  test.each<[string, RequestAddress, string, string | undefined]>([
    ['the path itself', ROOT, '/auth/login', '/login'],
    ['with a query', ROOT, '/auth/login?return_to=/x', '/login'],
    ['with a slash at the end', ROOT, '/auth/login/', '/login'],
    ['in capitals, as Express matches', ROOT, '/AUTH/Login', '/login'],
    ['the mount path alone', ROOT, '/auth', undefined],
    ['the mount path and a slash', ROOT, '/auth/', undefined],
    ['deeper', ROOT, '/auth/login/x', undefined],
    ['two slashes at the end', ROOT, '/auth/login//', undefined],
    ['two slashes in front', ROOT, '//auth/login', undefined],
    ['a longer first segment', ROOT, '/authors/login', undefined],
    ['under something else', ROOT, '/x/auth/login', undefined],
    ['only the name', ROOT, '/login', undefined],
    ['escaped, as Express matches', ROOT, '/%61uth/login', undefined],
    ['A20 in absolute form', ROOT, 'http://app.example/auth/login?x', '/login'],
    ['A20 in absolute form, another scheme and port', ROOT, 'HTTPS://APP.EXAMPLE:443/auth/login', '/login'],
    ['A20 absolute form without a path', ROOT, 'http://app.example?/auth/login', undefined],
    ['A20 a host called auth', ROOT, 'http://x/login', undefined],
    ['A20 the whole server', ROOT, '*', undefined],
    ['A4 the full path', SHOP, '/shop/auth/login', '/login'],
    ["A4 the app's own login", SHOP, '/auth/login', undefined],
    ["A4 the app's own session", SHOP, '/auth/session', undefined],
    ['A4 a path that only ends alike', SHOP, '/op/auth/login', undefined],
    ['A4 a shorter end', SHOP, '/h/login', undefined],
    ['A4 another shop', SHOP, '/shopping/auth/login', undefined],
    ['S4 stripped', DETECTS, '/auth/login', '/login'],
    ['S4 not stripped', DETECTS, '/shop/auth/login', '/login'],
    ['S4 a page of the app that begins alike', DETECTS, '/shopping/auth/login', undefined],
    ['S4 stripped, and in absolute form', DETECTS, 'http://internal:3000/auth/login', '/login'],
    ['S4 always stripped', STRIPS, '/auth/login', '/login'],
    ['S4 always stripped, so this is a page /shop/shop/auth/login', STRIPS, '/shop/auth/login', undefined],
    ['S4 the whole path of the routes is stripped', WHOLE, '/login', '/login'],
    ['S4 a part is stripped', GATE, '/shop/auth/login', '/login'],
    ['S4 more than that part', GATE, '/auth/login', undefined],
  ])('%s', (_name, address, url, route) => expect(address.routeOf(asked(url))).toBe(route))

  test.each<[string, AddressedRequest, string | undefined]>([
    ['mounted under a path', { baseUrl: '/shop', url: '/auth/login', originalUrl: '/shop/auth/login' }, '/login'],
    [
      'mounted under the whole path',
      { baseUrl: '/shop/auth', url: '/login', originalUrl: '/shop/auth/login' },
      '/login',
    ],
    ['mounted elsewhere', { baseUrl: '/blog', url: '/auth/login', originalUrl: '/blog/auth/login' }, undefined],
    ['rewritten by the app', { baseUrl: '', url: '/shop/auth/login', originalUrl: '/ko/shop/auth/login' }, '/login'],
    ['cut short by the app', { baseUrl: '', url: '/auth/login', originalUrl: '/shop/auth/login' }, '/login'],
    ['by node:http, which sets the URL only', { url: '/shop/auth/session' }, '/session'],
    ['by nothing at all', {}, undefined],
    [
      'mounted, in absolute form',
      { baseUrl: '/shop', url: 'http://app.example/auth/login', originalUrl: 'http://app.example/shop/auth/login' },
      '/login',
    ],
  ])('A4 %s', (_name, req, route) => expect(SHOP.routeOf(req)).toBe(route))
})

describe('the address as the browser has it', () => {
  test.each<[string, RequestAddress, string, string]>([
    ['as it came', ROOT, '/me?a=1&b=/shop', '/me?a=1&b=/shop'],
    ['as it came, under a sub-path', SHOP, '/shop/me', '/shop/me'],
    ['outside of it', SHOP, '/me', '/me'],
    ['S4 stripped', DETECTS, '/me?a=1', '/shop/me?a=1'],
    ['S4 stripped, home', DETECTS, '/', '/shop/'],
    ['S4 stripped, home with a query', DETECTS, '/?a', '/shop/?a'],
    ['S4 not stripped', DETECTS, '/shop/me', '/shop/me'],
    ['S4 not stripped, home', DETECTS, '/shop?a=/', '/shop?a=/'],
    ['S4 not stripped, in capitals', DETECTS, '/SHOP/me', '/SHOP/me'],
    ['S4 a page that begins alike', DETECTS, '/shopping', '/shop/shopping'],
    ['S4 always stripped: a page under the same name once more', STRIPS, '/shop/x', '/shop/shop/x'],
    ['S4 a part is stripped', GATE, '/shop/x', '/gate/shop/x'],
    ['A20 absolute form', ROOT, 'http://evil.example/me?a=http://x/y', '/me?a=http://x/y'],
    ['A20 absolute form, stripped', DETECTS, 'http://internal:3000/me', '/shop/me'],
    ['A20 absolute form without a path', ROOT, 'http://app.example?a', '/?a'],
    ['a URL within the path', ROOT, '/go/http://x/y', '/go/http://x/y'],
    ['what a browser takes for another host', ROOT, '//evil.example/x', '//evil.example/x'],
  ])('%s', (_name, address, url, expected) => expect(address.publicUrlOf(asked(url))).toBe(ORIGIN + expected))
})

describe('return_to behind a proxy that strips', () => {
  const returnTo = (paths: Paths) =>
    createReturnTo({
      config: { origin: ORIGIN, allowedReturnOrigins: [], homeUrl: `${ORIGIN}${paths.basePath}/`, ...paths },
      toPublicPath: addressFor(paths).toPublicPath,
    })
  const shop = { mountPath: '/shop/auth', basePath: '/shop' }

  test.each([
    ['/shop/me?a=1', '/shop/me?a=1'],
    ['/me?a=1#b', '/shop/me?a=1#b'],
    ['/', '/shop/'],
    ['', '/shop/'],
    ['/shop', '/shop'],
    ['/shopping', '/shop/shopping'],
    ['/x/../../me', '/shop/me'],
    ['/shop/../me', '/shop/me'],
    ['/shop/shop/x', '/shop/shop/x'],
    [`${ORIGIN}/blog`, '/blog'],
    ['//app.example/blog', '/blog'],
    ['/auth/login', '/shop/'],
    ['/shop/auth/login', '/shop/'],
    ['//evil.example', '/shop/'],
    ['/.//evil.example', '/shop/'],
    ['/shop/..//evil.example', '/shop/'],
    ['/%2f%2fevil.example', '/shop/'],
    ['https://evil.example/shop/', '/shop/'],
  ])('S4 %j leads to %s', (wanted, expected) => {
    for (const strippedPrefix of ['detect', '/shop'])
      expect(returnTo({ ...shop, strippedPrefix })(wanted)).toBe(ORIGIN + expected)
  })

  test('S4 where nothing is stripped a path means what it says', () => {
    expect(returnTo({ ...shop, strippedPrefix: '' })('/blog')).toBe(`${ORIGIN}/blog`)
    expect(returnTo({ ...shop, strippedPrefix: '' })('/')).toBe(`${ORIGIN}/`)
    expect(returnTo({ ...shop, strippedPrefix: '' })('//evil.example')).toBe(`${ORIGIN}/shop/`)
  })
})
