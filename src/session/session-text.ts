import type { SessionData } from 'express-session'
import { isPlainObject, parseJsonObject } from '../lib/guards.js'
import type { ProvenBlob } from './blobs.js'
import { contentText, newState, setState, stateOf } from './session-state.js'
import { fromStoredCookie, toStoredCookie } from './stored-cookie.js'
import { explainUnsavable } from './unsavable.js'

/** When the cookie was last sent: in the stored blob only, so that the app does not see it in its session. */
const COOKIE_SENT_AT = 'ppoppo:cookie'
/** As {@link toText} writes it: the last member. */
const SENT_AT = /,"ppoppo:cookie":(\d{1,15})\}$/

/** What is the same for all sessions made of one text. */
interface Derived {
  /** Without when the cookie was sent. */
  readonly text: string
  readonly sentAt: number | undefined
  /** The content as JSON, to see whether it changes. */
  readonly savedText: string
}

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

/** A session of its own from a stored blob; `null` if the blob is none of ours. */
export function toSession(blob: ProvenBlob): SessionData | null {
  const derived = (blob.derived as Derived | undefined) ?? derive(blob.text)
  if (!derived) return null
  blob.derived = derived
  const { text, sentAt, savedText } = derived
  const data = JSON.parse(text) as SessionData
  data.cookie = fromStoredCookie(data.cookie as unknown as Readonly<Record<string, unknown>>, sentAt)
  setState(data, newState({ savedText, sentAt, isStored: true }))
  return data
}

function derive(whole: string): Derived | undefined {
  const [end = '', sent] = SENT_AT.exec(whole) ?? []
  const text = sent === undefined ? whole : `${whole.slice(0, whole.length - end.length)}}`
  const data = parseJsonObject(text)
  if (!data || !isPlainObject(data['cookie'])) return undefined
  return {
    text,
    sentAt: sent === undefined ? undefined : Number(sent),
    savedText: contentText(data as unknown as SessionData),
  }
}
