import { type Answer, CookieBrowser } from './cookie-browser.js'
import type { World } from './world.js'

/** Begins a sign-in in `browser` and goes as far as PAS's answer: the callback URL that was not visited yet. */
export async function beginAttempt(world: World, browser: CookieBrowser, returnTo = '/me'): Promise<string> {
  const toPas = await browser.visit(`${world.url}/auth/login?return_to=${encodeURIComponent(returnTo)}`)
  if (toPas.location === '') throw new Error(`login answered ${toPas.status}: ${toPas.text.slice(0, 300)}`)
  return answerOfPas(toPas.location)
}

/** Where PAS sends the browser, without anybody going there. */
export async function answerOfPas(authorizationUrl: string): Promise<string> {
  const back = await new CookieBrowser().visit(authorizationUrl)
  if (back.location === '') throw new Error(`PAS answered ${back.status}: ${back.text.slice(0, 300)}`)
  return back.location
}

/** Whether this browser is signed in, by asking the app. */
export async function isSignedIn(world: World, browser: CookieBrowser): Promise<boolean> {
  const answer = await browser.visit(`${world.url}/auth/session`)
  return JSON.parse(answer.text).signedIn === true
}

/** As a script of our own pages asks. */
export const OWN_FETCH = { 'Sec-Fetch-Site': 'same-origin', 'Sec-Fetch-Mode': 'cors', 'Sec-Fetch-Dest': 'empty' }

/** What browsers, scanners and other sites send without a person wanting to go there. */
export const NO_VISITS: readonly (readonly [string, string, Readonly<Record<string, string>>])[] = [
  ['HEAD', 'HEAD', {}],
  ['OPTIONS', 'OPTIONS', {}],
  ['a prefetch', 'GET', { 'Sec-Purpose': 'prefetch' }],
  ['a prerender', 'GET', { 'Sec-Purpose': 'prefetch;prerender' }],
  ['an older prefetch', 'GET', { Purpose: 'prefetch' }],
  ['a Firefox prefetch', 'GET', { 'X-Moz': 'prefetch' }],
  ['a prefetch by Turbo', 'GET', { ...OWN_FETCH, 'X-Sec-Purpose': 'prefetch', Accept: 'text/html' }],
  ['a preload by htmx', 'GET', { ...OWN_FETCH, 'HX-Request': 'true', 'HX-Preloaded': 'true' }],
  ['a preview by Safari', 'GET', { 'X-Purpose': 'preview' }],
  ['a prefetching HEAD', 'HEAD', { 'Sec-Purpose': 'prefetch' }],
  ['an image of another site', 'GET', { 'Sec-Fetch-Site': 'cross-site', 'Sec-Fetch-Mode': 'no-cors' }],
  ['a fetch of another site', 'GET', { 'Sec-Fetch-Site': 'cross-site', 'Sec-Fetch-Mode': 'cors' }],
  ['a form post by script of another site', 'POST', { 'Sec-Fetch-Site': 'cross-site', 'Sec-Fetch-Mode': 'cors' }],
  ['an image of a sister site', 'GET', { 'Sec-Fetch-Site': 'same-site', 'Sec-Fetch-Mode': 'no-cors' }],
]

/** Mixes a list, differently in each run. */
export function shuffled<T>(list: readonly T[]): T[] {
  const rest = [...list]
  const mixed: T[] = []
  while (rest.length > 0) mixed.push(...rest.splice(Math.floor(Math.random() * rest.length), 1))
  return mixed
}

/** Where the one button of a page leads. Throws where there is none, or more than one. */
export function buttonOf(answer: Answer): URL {
  const [first, ...more] = [...answer.text.matchAll(/<a class="button"[^>]* href="([^"]*)"/g)].map(([, href]) => href)
  if (first === undefined || more.length > 0) throw new Error(`${more.length + (first ? 1 : 0)} buttons on the page`)
  return new URL(first.replaceAll('&amp;', '&'), answer.url)
}
