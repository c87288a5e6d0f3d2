import { parseCookie } from 'cookie'
import type { Request, Response } from 'express'
import { digestOf } from '../lib/digest.js'
import { type Runtime, randomToken } from '../lib/runtime.js'
import { clearCookie, setCookie } from './set-cookie.js'

/** The cookies that bind login attempts to a browser: one per attempt, so that tabs do not overwrite each other's. */
export interface AttemptCookies {
  /** A new cookie value, with the time in it. */
  newValue(): string
  /** Sets the cookie of a new attempt and drops the oldest above the bound. */
  set(req: Request, res: Response, state: string, value: string): void
  /** The cookie's value, or `undefined` where this browser did not begin the attempt. */
  read(req: Request, state: string): string | undefined
  clear(res: Response, state: string): void
}

/** More open attempts than this in one browser: the oldest goes. */
const MAX_OPEN_ATTEMPTS = 10
/** `<milliseconds in base 36>.<128 random bits>` */
const VALUE = /^([0-9a-z]{8,10})\.[A-Za-z0-9_-]{22}$/

export function createAttemptCookies(options: {
  readonly isHttps: boolean
  readonly clientId: string
  readonly ttlMs: number
  readonly runtime: Runtime
}): AttemptCookies {
  const { isHttps, clientId, ttlMs, runtime } = options
  const prefix = `${isHttps ? '__Host-' : ''}ppoppo-tx-`
  const attributes = { httpOnly: true, secure: isHttps, sameSite: 'lax', path: '/' } as const
  const nameFor = (state: string): string => prefix + digestOf('attempt-cookie', clientId, state).slice(0, 16)

  function openAttempts(req: Request): readonly { readonly name: string; readonly begunAt: number }[] {
    return Object.entries(parseCookie(req.headers.cookie ?? ''))
      .filter(([name]) => name.startsWith(prefix))
      .map(([name, value]) => ({ name, begunAt: Number.parseInt(VALUE.exec(value ?? '')?.[1] ?? '0', 36) }))
      .sort((a, b) => b.begunAt - a.begunAt)
  }

  return {
    newValue: () => `${runtime.now().toString(36)}.${randomToken(runtime, 128)}`,
    set(req, res, state, value) {
      for (const { name } of openAttempts(req).slice(MAX_OPEN_ATTEMPTS - 1)) clearCookie(res, name, attributes)
      const expires = new Date(runtime.now() + ttlMs)
      setCookie(res, nameFor(state), value, { ...attributes, maxAge: ttlMs / 1000, expires })
    },
    read(req, state) {
      const value = parseCookie(req.headers.cookie ?? '')[nameFor(state)]
      return value !== undefined && VALUE.test(value) ? value : undefined
    },
    clear(res, state) {
      clearCookie(res, nameFor(state), attributes)
    },
  }
}
