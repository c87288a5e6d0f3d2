import type { Request, Response } from 'express'
import { clearCookie, setCookie } from './set-cookie.js'

/*
 * Says for ten seconds that a sign-in was just finished in this browser. A guard that sees it, but no session, knows
 * that the session cookie does not arrive, and stops what would be an endless round of redirects.
 */

const MAX_AGE_SECONDS = 10
const IN_HEADER = /(?:^|;\s*)(?:__Host-)?ppoppo-landed=([\w-]+)/

/** @param instance tells instances apart: its pointer key */
export function setLandedCookie(res: Response, isHttps: boolean, instance: string): void {
  setCookie(res, nameOf(isHttps), markOf(instance), { ...attributes(isHttps), maxAge: MAX_AGE_SECONDS })
}

export function clearLandedCookie(res: Response, isHttps: boolean): void {
  clearCookie(res, nameOf(isHttps), attributes(isHttps))
}

export function hasLandedCookie(req: Request, instance: string): boolean {
  return IN_HEADER.exec(req.headers.cookie ?? '')?.[1] === markOf(instance)
}

/** A cookie's value has no colon. */
function markOf(instance: string): string {
  return instance.replaceAll(/[^\w-]/g, '-')
}

function nameOf(isHttps: boolean): string {
  return isHttps ? '__Host-ppoppo-landed' : 'ppoppo-landed'
}

function attributes(isHttps: boolean): { httpOnly: true; secure: boolean; sameSite: 'lax'; path: '/' } {
  return { httpOnly: true, secure: isHttps, sameSite: 'lax', path: '/' }
}
