import { createRandom } from './random.mjs'

const METHODS = ['GET', 'GET', 'GET', 'GET', 'POST', 'POST', 'HEAD', 'OPTIONS', 'PUT', 'DELETE', 'PATCH', 'PROPFIND']
const ROUTES = [
  '/auth/login',
  '/auth/callback',
  '/auth/logout',
  '/auth/session',
  '/auth/button',
  '/auth/button.css',
  '/auth/button.js',
  '/',
  '/me',
  '/token',
]
const PATHS = [
  ...ROUTES,
  ...ROUTES,
  ...ROUTES,
  ...[
    '/auth/login',
    '/auth/callback',
    '/auth/logout',
    '/auth/session',
    '/auth/button.css',
    '/auth',
    '/auth/',
    '/auth/none',
  ],
  ...[
    '/',
    '/me',
    '/token',
    '/auth//login',
    '/AUTH/LOGIN',
    '/auth/login/',
    '/auth/%6cogin',
    '/auth/login%00',
    '//auth/login',
  ],
  ...['/auth/../me', '/auth/login;a=b', '/auth/callback/..%2f', '/%', '/auth/%ff', '/favicon.ico'],
]
const NAMES = [
  'return_to',
  'code',
  'state',
  'error',
  'error_description',
  'iss',
  'prompt',
  'login_hint',
  'ui_locales',
  'id_token',
  '__proto__',
  'constructor',
  '',
]
const VALUES = [
  ...[
    '/',
    '/me',
    '//evil.example',
    'https://evil.example/',
    '/\\evil.example',
    'javascript:alert(1)',
    '/auth/login',
    '%00',
    '%',
    '%ff',
  ],
  ...[
    'access_denied',
    'login_required',
    'select_account',
    'login',
    'none',
    'ko',
    '[]',
    '{}',
    'null',
    '-1',
    '<script>',
    "' OR 1=1",
  ],
]
const COOKIES = ['ppoppo', 'ppoppo-page', 'ppoppo-tx-abc', '__Host-ppoppo', '__proto__', 'connect.sid', 'a']
const TYPES = [
  'application/x-www-form-urlencoded',
  'application/json',
  'multipart/form-data; boundary=x',
  'text/plain',
  '',
  'a/b; charset=utf-7',
]
const ACCEPTS = [
  'text/html',
  'application/json',
  '*/*',
  'text/html, application/xhtml+xml',
  'text/vnd.turbo-stream.html',
  'text/css',
  ';;;',
  '',
]
const ORIGINS = ['null', 'https://evil.example', 'http://localhost', 'http://localhost:3000', 'nonsense', '']
const PRINTABLE = Array.from({ length: 94 }, (_, index) => String.fromCharCode(33 + index)).join('')
const BASE64URL = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
const MOST_BODY = 20_000

/**
 * The request that a seed and a number make.
 * @param {number} seed
 * @param {number} number
 * @param {{ url: string, cookie: string }} target `cookie` is that of somebody who is signed in: it is altered, never used
 * @returns {{ method: string, path: string, headers: Record<string, string>, body: string }}
 */
export function makeRequest(seed, number, { url, cookie }) {
  const random = createRandom(seed, number)
  const method = random.oneOf(METHODS)
  const headers = makeHeaders(random, { url, cookie })
  const hasBody = !['GET', 'HEAD', 'OPTIONS'].includes(method) || random.once(20)
  const body = hasBody ? makeBody(random) : ''
  if (hasBody) headers['content-length'] = String(Buffer.byteLength(body))
  return { method, path: `${random.oneOf(PATHS)}${makeQuery(random)}`, headers, body }
}

function makeQuery(random) {
  const count = random.number(5)
  if (count === 0) return random.once(4) ? '?' : ''
  return `?${Array.from({ length: count }, () => `${random.oneOf(NAMES)}=${makeValue(random)}`).join('&')}`
}

function makeValue(random) {
  if (random.once(3)) return random.text(random.once(50) ? 4_000 : random.number(60), BASE64URL)
  const value = random.oneOf(VALUES)
  return value.startsWith('%') ? value : encodeURIComponent(value)
}

function makeHeaders(random, { url, cookie }) {
  const { origin, host } = new URL(url)
  const headers = {
    host: random.once(10) ? random.oneOf(['evil.example', 'localhost', '127.0.0.1:1', '[::1]', '']) : host,
  }
  const maybe = (name, value, inTimes = 2) => {
    if (random.once(inTimes)) headers[name] = value()
  }
  maybe('accept', () => random.oneOf(ACCEPTS))
  maybe('origin', () => (random.once(2) ? origin : random.oneOf(ORIGINS)), 3)
  maybe('referer', () => `${random.oneOf([origin, 'https://evil.example'])}/a`, 4)
  maybe('sec-fetch-site', () => random.oneOf(['same-origin', 'same-site', 'cross-site', 'none', 'x']))
  maybe('sec-fetch-mode', () => random.oneOf(['navigate', 'cors', 'no-cors', 'same-origin', 'websocket']))
  maybe('sec-fetch-dest', () => random.oneOf(['document', 'empty', 'image', 'iframe', 'script']), 3)
  maybe('sec-purpose', () => random.oneOf(['prefetch', 'prefetch;prerender']), 12)
  maybe('content-type', () => random.oneOf(TYPES))
  maybe('hx-request', () => 'true', 12)
  maybe('x-forwarded-host', () => 'evil.example', 12)
  maybe('x-forwarded-proto', () => random.oneOf(['https', 'http', 'x']), 12)
  maybe('x-forwarded-for', () => random.oneOf(['192.0.2.1', 'x', '::1, 10.0.0.1']), 12)
  maybe('user-agent', () => random.text(random.number(300), PRINTABLE), 3)
  maybe('cookie', () => makeCookies(random, cookie))
  return headers
}

function makeCookies(random, real) {
  const session = real.slice(0, real.indexOf('='))
  const names = [...COOKIES, session, session, session.replace('ppoppo', 'ppoppo-tx').concat('-abc')]
  const junk = () =>
    `${random.oneOf(names)}=${random.text(random.number(200), random.once(2) ? BASE64URL : PRINTABLE.replaceAll(/[;,"\\]/g, ''))}`
  const cookies = Array.from({ length: random.number(4) }, junk)
  if (random.once(3)) cookies.push(...alter(random, real))
  return cookies.join('; ')
}

/** Somebody's cookies, each with one character that is another one. */
function alter(random, cookie) {
  return cookie.split('; ').map((pair) => {
    const from = pair.indexOf('=') + 1
    // The last character of base64url may hold bits that nobody reads.
    const at = from + random.number(Math.max(1, pair.length - from - 3))
    const other = BASE64URL[(BASE64URL.indexOf(pair[at]) + 1 + random.number(BASE64URL.length - 1)) % BASE64URL.length]
    const altered = `${pair.slice(0, at)}${other}${pair.slice(at + 1)}`
    // `%2f` is what `%2F` is: the same cookie.
    return decoded(altered) === decoded(pair) ? `${pair.slice(0, at)}-${pair.slice(at + 1)}` : altered
  })
}

/** @param {string} pair */
function decoded(pair) {
  try {
    return decodeURIComponent(pair)
  } catch {
    return pair
  }
}

function makeBody(random) {
  const kind = random.number(4)
  if (kind === 0) return makeQuery(random).slice(1)
  if (kind === 1) return JSON.stringify({ [random.oneOf(NAMES)]: random.oneOf(VALUES), a: [null, 1] })
  if (kind === 2) return random.text(random.once(50) ? MOST_BODY : random.number(300), PRINTABLE)
  return ''
}
