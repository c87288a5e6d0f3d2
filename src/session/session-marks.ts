/** What is known of a session object besides what the app sees in it. */
export interface SessionMarks {
  /** When its cookie was sent last, in milliseconds since the epoch. */
  sentAt?: number
  /** The store may hold a blob of it. */
  isStored?: boolean
  /** It is let go of, whatever is put into it; or unless something is. */
  isDropped?: 'always' | 'if-empty'
}

const marks = new WeakMap<object, SessionMarks>()

/** The marks of a session; to be changed in place. */
export function marksOf(session: object): SessionMarks {
  const known = marks.get(session) ?? {}
  marks.set(session, known)
  return known
}

/** Whether a session is not to be kept as it is now. */
export function isDropped(session: object): boolean {
  const { isDropped } = marksOf(session)
  return isDropped === 'always' || (isDropped === 'if-empty' && Object.keys(session).every((key) => key === 'cookie'))
}
