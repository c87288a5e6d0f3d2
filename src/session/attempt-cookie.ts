import { parse as parseCookie } from 'cookie'
import type { Request, Response } from 'express'
import { digestOf } from '../lib/digest.js'
import { type Runtime, randomToken } from '../lib/runtime.js'
import { cookieNamesOf } from './cookie-names.js'
import { clearCookie, setCookie } from './set-cookie.js'

/** The cookies that bind login attempts to a browser: one per attempt, so that tabs do not overwrite each other. */
export interface AttemptCookies {
  /** A new cookie value, with the time in it: milliseconds by the store's clock. */
  newValue(begunAt: number): string
  /** The time in a value. */
  begunAt(value: string): number
  /** Sets the cookie of a new attempt and drops the oldest above the bound. */
  set(req: Request, res: Response, state: string, value: string): void
  /** The cookie's value; `undefined` if this browser did not begin the attempt. */
  read(req: Request, state: string): string | undefined
  /** Clears the cookie of an attempt, if this browser sent it. */
  clear(req: Request, res: Response, state: string): void
}

/** Longer than an attempt lives, so that a late callback is reported as expired and not as unknown. */
const COOKIE_TTL_MS = 60 * 60_000
/** Above this many open attempts in one browser, the oldest is dropped. */
const MAX_OPEN_ATTEMPTS = 10
/** Per answer: more would not fit into a proxy's buffer for headers (nginx: 4 KB). */
const MAX_DROPPED = 10
/** `<milliseconds in base 36>.<128 random bits>` */
const VALUE = /^([0-9a-z]{8,10})\.[A-Za-z0-9_-]{22}$/

/** What the attempt cookies are made of. */
export interface AttemptCookiesParts {
  /** Whether the app is served by https: then the cookies are `Secure`. */
  readonly isHttps: boolean
  /** The client they belong to; part of their names. */
  readonly clientId: string
  /** Clock and random source. */
  readonly runtime: Runtime
}

/** Creates the cookies that bind login attempts of one client to a browser. */
export function createAttemptCookies(parts: AttemptCookiesParts): AttemptCookies {
  const { isHttps, clientId, runtime } = parts
  const { attempts, formerAttempts } = cookieNamesOf({ clientId, isHttps })
  const attributes = { httpOnly: true, secure: isHttps, sameSite: 'lax', path: '/' } as const
  /** Its current name and its former one. */
  const namesFor = (state: string): readonly [string, string] => {
    const tag = digestOf('attempt-cookie', clientId, state).slice(0, 16)
    return [attempts + tag, formerAttempts + tag]
  }

  const timeIn = (value: string | undefined): number => Number.parseInt(VALUE.exec(value ?? '')?.[1] ?? '0', 36)

  function openAttempts(req: Request): readonly { readonly name: string; readonly begunAt: number }[] {
    return Object.entries(parseCookie(req.headers.cookie ?? ''))
      .filter(([name]) => name.startsWith(attempts))
      .map(([name, value]) => ({ name, begunAt: timeIn(value) }))
      .sort((a, b) => b.begunAt - a.begunAt)
  }

  return {
    newValue: (begunAt) => `${Math.floor(begunAt).toString(36)}.${randomToken(runtime, 128)}`,
    begunAt: timeIn,
    set(req, res, state, value) {
      const dropped = openAttempts(req)
        .slice(MAX_OPEN_ATTEMPTS - 1)
        .slice(-MAX_DROPPED)
      for (const { name } of dropped) clearCookie(res, name, attributes)
      const expires = new Date(runtime.now() + COOKIE_TTL_MS)
      setCookie(res, namesFor(state)[0], value, { ...attributes, maxAge: COOKIE_TTL_MS / 1000, expires })
    },
    read(req, state) {
      const sent = parseCookie(req.headers.cookie ?? '')
      return namesFor(state)
        .map((name) => sent[name])
        .find((value) => value !== undefined && VALUE.test(value))
    },
    clear(req, res, state) {
      const sent = parseCookie(req.headers.cookie ?? '')
      for (const name of namesFor(state)) if (sent[name] !== undefined) clearCookie(res, name, attributes)
    },
  }
}
