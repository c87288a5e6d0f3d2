import type { SessionData } from 'express-session'
import { digestOf } from '../lib/digest.js'
import { isPlainObject, parseJsonObject } from '../lib/guards.js'
import { tagOf } from '../store/store.js'

/** All that the session blob holds of a sign-in. Not a secret: it leads nowhere without the vault's record. */
export interface SignInPointer {
  readonly signInId: string
  /** Where the sign-in led to: where a stale callback sends the person back. */
  readonly returnTo: string
  /** The callbacks this browser has made lately, see `sign-in/arrivals.ts`. */
  readonly arrivals: readonly string[]
}

/** Keys of all instances begin with this. */
const PREFIX = 'ppoppo:'
/** `<tag>.<random>`: a session is the app's to write, so what is in it is looked at. */
const SIGN_IN_ID = /^[\w-]{1,64}\.[\w-]{1,64}$/

/** Two instances with different clients in one session each have their own key. */
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
 * Whose sign-in a stored session points at, also one of another instance: the tag of the person. `undefined` where
 * nobody is signed in in it.
 */
export function personIn(blob: string): string | undefined {
  // Most sessions are nobody's, and need no parsing.
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
