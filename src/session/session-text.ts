import type { Cookie, SessionData } from 'express-session'
import { deepFreeze } from '../lib/deep-freeze.js'
import { isPlainObject, parseJsonObject } from '../lib/guards.js'
import type { ProvenBlob } from './blobs.js'
import { readPointer } from './pointer.js'
import { contentText, newState, setState, stateOf } from './session-state.js'
import { fromStoredCookie, toStoredCookie } from './stored-cookie.js'
import type { StoredSession } from './stored-session.js'
import { explainUnsavable } from './unsavable.js'

/** When the cookie was last sent: in the stored blob only, so that the app does not see it in its session. */
const COOKIE_SENT_AT = 'ppoppo:cookie'
/** As {@link toText} writes it: the last member. */
const SENT_AT = /,"ppoppo:cookie":(\d{1,15})\}$/

/** A session as it is stored. */
export function toText(data: SessionData): string {
  const { sentAt } = stateOf(data)
  let written: unknown
  const text: string | undefined = JSON.stringify(data, function (this: unknown, name: string, value: unknown) {
    if (name === '') written ??= value
    const isCookie = name === 'cookie' && this === written && isPlainObject(value)
    return isCookie ? toStoredCookie(value, sentAt) : value
  })
  // The app may have its own toJSON; anything but an object would overwrite a session that can be read.
  if (!text?.startsWith('{')) throw explainUnsavable(data)
  return sentAt === undefined ? text : `${text.slice(0, -1)},"${COOKIE_SENT_AT}":${sentAt}}`
}

/**
 * What a stored blob holds; `undefined` if the blob is none of ours.
 * @param pointerKey the key of the sign-in in a session
 */
export function readStored(blob: ProvenBlob, pointerKey: string): StoredSession | undefined {
  blob.derived ??= derive(blob.text, pointerKey)
  return blob.derived
}

/** A session of its own. */
export function toSession({ text, sentAt, savedText }: StoredSession): SessionData {
  const data = JSON.parse(text) as SessionData
  data.cookie = cookieIn(data, sentAt)
  setState(data, newState({ savedText, sentAt, isStored: true }))
  return data
}

function derive(whole: string, pointerKey: string): StoredSession | undefined {
  const [end = '', sent] = SENT_AT.exec(whole) ?? []
  const text = sent === undefined ? whole : `${whole.slice(0, whole.length - end.length)}}`
  const parsed = parseJsonObject(text)
  if (!parsed || !isPlainObject(parsed['cookie'])) return undefined
  const data = parsed as unknown as SessionData
  const sentAt = sent === undefined ? undefined : Number(sent)
  const { originalMaxAge } = cookieIn(data, sentAt)
  return {
    text,
    sentAt,
    savedText: contentText(data),
    originalMaxAge,
    pointer: deepFreeze(readPointer(data, pointerKey)),
  }
}

function cookieIn({ cookie }: SessionData, sentAt: number | undefined): Cookie {
  return fromStoredCookie(cookie as unknown as Readonly<Record<string, unknown>>, sentAt)
}
