import type { SessionData } from 'express-session'
import { digestOf } from '../lib/digest.js'
import { isPlainObject, parseJsonObject } from '../lib/guards.js'
import { tagOf } from '../store/store.js'

/** All that the session blob holds about a sign-in. Not a secret, since it is useless without the vault's record. */
export interface SignInPointer {
  readonly signInId: string
  /** Where the sign-in led, and where a stale callback sends the person back to: a URL or a path, to be checked again. */
  readonly returnTo: string
  /** The callbacks this browser has made lately, see `sign-in/callback-params.ts`. */
  readonly arrivals: readonly string[]
}

/** Keys of all instances begin with this. */
const PREFIX = 'ppoppo:'
/** `<tag>.<random>`: checked, because the app may write anything into a session. */
const SIGN_IN_ID = /^[\w-]{1,64}\.[\w-]{1,64}$/

/** A key per client, so that two instances with different clients can share a session. */
export function pointerKey(clientId: string): string {
  return `${PREFIX}${digestOf('pointer', clientId).slice(0, 8)}`
}

export function readPointer(session: SessionData | undefined, key: string): SignInPointer | undefined {
  return pointerIn(session && Reflect.get(session, key))
}

function pointerIn(value: unknown): SignInPointer | undefined {
  if (!isPlainObject(value)) return undefined
  const { signInId, returnTo, arrivals } = value
  if (typeof signInId !== 'string' || !SIGN_IN_ID.test(signInId) || typeof returnTo !== 'string') return undefined
  const texts: readonly unknown[] = Array.isArray(arrivals) ? arrivals : []
  return { signInId, returnTo, arrivals: texts.filter((text) => typeof text === 'string') }
}

/**
 * The tag of the person whose sign-in a stored session points at, even if it belongs to another instance. `undefined`
 * if nobody is signed in.
 */
export function personIn(blob: string): string | undefined {
  // In most sessions nobody is signed in, so skip the parsing.
  const session = blob.includes('"signInId"') ? (parseJsonObject(blob) ?? {}) : {}
  const names = Object.keys(session).filter((name) => name.startsWith(PREFIX))
  const pointer = names.map((name) => pointerIn(session[name])).find((found) => found !== undefined)
  return pointer && tagOf(pointer.signInId)
}

/** What other instances keep in the same session: each ends its own sign-ins only. */
export function otherPointers(session: SessionData, key: string): Readonly<Record<string, unknown>> {
  return Object.fromEntries(
    Object.entries(session).filter(([name, value]) => name !== key && name.startsWith(PREFIX) && isPlainObject(value)),
  )
}
