import type { Request } from 'express'
import type { Config } from '../config/options.js'
import { isPlainObject } from '../lib/guards.js'
import { targetOf } from '../lib/request-target.js'

/**
 * What kind of request to login or callback this is. Only a `visit` begins or consumes an attempt.
 *
 * - `prefetch`: a browser, or a library in a page, prepares for a click that may never come
 * - `frame`: another site shows us in a frame, in which cookies are not kept
 * - `foreign`: an image, script or fetch from another site, or from a sister domain
 * - `script`: a fetch from our own pages, or a program that asks for JSON: neither can follow a redirect to PAS
 */
export type VisitKind = 'visit' | 'prefetch' | 'frame' | 'foreign' | 'script'

/** Uses the browser's own headers first (Fetch Metadata, W3C), then those that libraries add to their requests. */
export function visitKindOf(req: Request): VisitKind {
  if (isPrefetch(req)) return 'prefetch'
  const site = req.get('sec-fetch-site')
  const isOwn = site === 'same-origin' || site === 'none'
  if (isInFrame(req)) return isOwn && !isThirdParty(req) ? 'visit' : 'frame'
  const mode = req.get('sec-fetch-mode')
  // A browser sends both. Node's fetch sends `cors` without a site, and follows redirects to any site.
  const isScript = mode !== undefined && mode !== 'navigate' && site !== undefined
  if (isScript) return isOwn ? 'script' : 'foreign'
  return mode !== 'navigate' && (isByLibrary(req) || wantsJson(req)) ? 'script' : 'visit'
}

/** Browsers, old ones too; Turbo; htmx's preload extension. Page scripts cannot set `Sec-` headers, hence the `X-`. */
function isPrefetch(req: Request): boolean {
  const names = ['sec-purpose', 'x-sec-purpose', 'purpose', 'x-purpose', 'x-moz']
  return names.some((name) => /prefetch|prerender|preview/i.test(req.get(name) ?? '')) || isTrue(req, 'hx-preloaded')
}

function isInFrame(req: Request): boolean {
  return ['iframe', 'frame', 'embed', 'object', 'fencedframe'].includes(req.get('sec-fetch-dest') ?? '')
}

/** Chromium and Firefox send this only on a page of another site; a frame of ours there looks the same otherwise. */
function isThirdParty(req: Request): boolean {
  return req.get('sec-fetch-storage-access') !== undefined
}

/** For browsers without Fetch Metadata, such as Safari before 16.4. */
function isByLibrary(req: Request): boolean {
  const isXhr = /^xmlhttprequest$/i.test(req.get('x-requested-with') ?? '')
  const headers = ['turbo-frame', 'x-turbo-request-id', 'x-pjax', 'x-up-version', 'x-inertia']
  return isXhr || isHtmx(req) || headers.some((name) => req.get(name) !== undefined)
}

/** htmx follows its own redirect header, but no redirect to another site. */
export function isHtmx(req: Request): boolean {
  return isTrue(req, 'hx-request')
}

function isTrue(req: Request, name: string): boolean {
  return req.get(name)?.toLowerCase() === 'true'
}

/** Whether a browser navigates: unlike a script's request, that can be redirected to another site. */
export function isNavigation(req: Request): boolean {
  const mode = req.get('sec-fetch-mode')
  return (mode === undefined || mode === 'navigate') && wantsHtml(req)
}

/** Whether a person has sent a form. Browsers send its origin, even those without Fetch Metadata. */
export function isFormOfBrowser(req: Request): boolean {
  const isFromPage = req.get('sec-fetch-site') !== undefined || req.get('origin') !== undefined
  return req.method === 'POST' && isFromPage && isNavigation(req)
}

const HTML: readonly string[] = ['text/html', 'application/xhtml+xml']
const JSON_TYPES: readonly string[] = ['application/problem+json', 'application/json']
const ANYTHING: readonly string[] = ['application/*', '*/*']

/**
 * Whether the client wants HTML: `Accept` names it and does not prefer JSON. That is true of a navigation, and of a
 * script that puts answers into the page, such as Turbo. `*\/*` names nothing.
 */
export function wantsHtml(req: Request): boolean {
  const named = mediaRanges(req.get('accept'))
  const html = bestOf(named, HTML)
  const json = bestOf(named, JSON_TYPES)
  if (!html || html.weight === 0) return false
  if (json) return html.weight > json.weight || (html.weight === json.weight && html.place < json.place)
  return html.weight >= (bestOf(named, ANYTHING)?.weight ?? 0)
}

/** Whether a program asks: `Accept` names JSON and does not prefer HTML. */
function wantsJson(req: Request): boolean {
  const json = bestOf(mediaRanges(req.get('accept')), JSON_TYPES)
  return json !== undefined && json.weight > 0 && !wantsHtml(req)
}

interface MediaRange {
  readonly type: string
  readonly weight: number
  readonly place: number
}

/** What `Accept` names, in lower case. Parameters other than the weight (`;level=1`, `;charset=utf-8`) are ignored. */
function mediaRanges(accept = ''): readonly MediaRange[] {
  return accept
    .toLowerCase()
    .split(',')
    .map((range, place) => {
      const [type = '', ...parameters] = range.split(';').map((part) => part.trim())
      const weight = Number(parameters.find((one) => one.startsWith('q='))?.slice(2) ?? 1)
      return { type, weight: weight >= 0 ? weight : 1, place }
    })
}

function bestOf(ranges: readonly MediaRange[], types: readonly string[]): MediaRange | undefined {
  return ranges
    .filter(({ type }) => types.includes(type))
    .reduce<MediaRange | undefined>((best, range) => (best && best.weight >= range.weight ? best : range), undefined)
}

/**
 * Whether a POST comes from our own pages or from a trusted origin: by `Sec-Fetch-Site` first, then by `Origin`, then
 * by `Referer`. A request with none of them does not come from a browser, and without a browser there are no cookies to
 * abuse.
 */
export function isOwnPost(
  req: Request,
  { origin, trustedOrigins }: Pick<Config, 'origin' | 'trustedOrigins'>,
): boolean {
  const from = req.get('origin')
  if (from !== undefined && trustedOrigins.includes(from)) return true
  const site = req.get('sec-fetch-site')
  if (site !== undefined) return site === 'same-origin' || site === 'none'
  if (from !== undefined) return from === origin
  const referer = req.get('referer')
  if (referer === undefined) return true
  const page = URL.canParse(referer, origin) ? new URL(referer, origin).origin : undefined
  return page !== undefined && (page === origin || trustedOrigins.includes(page))
}

/**
 * A parameter of a request: from the body of a POST first, then from the URL. The query is read from the URL itself,
 * since an app may have set any query parser in Express.
 * @returns `undefined` if there is none, or more than one.
 */
export function inputOf(req: Request, name: string): string | undefined {
  const body: unknown = req.body
  const inBody = isPlainObject(body) ? body[name] : undefined
  if (typeof inBody === 'string') return inBody
  if (typeof inBody === 'boolean' || typeof inBody === 'number') return String(inBody)
  const values = queryOf(req).getAll(name)
  return values.length === 1 ? values[0] : undefined
}

/**
 * A yes or no from the body and the URL; no if there is none.
 * @returns `undefined` for any other word, or if two answers differ, because choosing one would be a guess.
 */
export function flagOf(req: Request, name: string): boolean | undefined {
  const body: unknown = req.body
  const fields = [...(isPlainObject(body) ? Object.entries(body) : []), ...queryOf(req)]
  const answers = fields.flatMap(([field, value]) => (isMeant(field, name) ? [value].flat() : [])).map(toFlag)
  return answers.every((answer) => answer === answers[0]) ? (answers.length === 0 ? false : answers[0]) : undefined
}

/**
 * Whether a field is another spelling of `name`: as a list (`name[]`, as in PHP and Rails), in another case, or after a
 * byte order mark. Ignoring it would do less than was asked.
 */
function isMeant(field: string, name: string): boolean {
  return (
    field
      .replace(/^\ufeff/, '')
      .replace(/\[\d*\]$/, '')
      .toLowerCase() === name
  )
}

function toFlag(value: unknown): boolean | undefined {
  const word = String(value ?? '')
    .trim()
    .toLowerCase()
  if (typeof value === 'object' && value !== null) return undefined
  if (['1', 'true', 'on', 'yes'].includes(word)) return true
  return ['', '0', 'false', 'off', 'no'].includes(word) ? false : undefined
}

/** The query of the request as it was sent. */
export function queryOf(req: Request): URLSearchParams {
  const target = targetOf(req)
  const start = target.indexOf('?')
  return new URLSearchParams(start < 0 ? '' : target.slice(start + 1))
}
