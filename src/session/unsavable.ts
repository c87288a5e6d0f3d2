import { PpoppoError } from '../errors.js'

/**
 * What is wrong with a session that cannot be saved, which express-session finds out only when it is too late to
 * report; `undefined` if nothing is wrong, or there is no session.
 */
export function explainUnsavable(session: unknown): PpoppoError | undefined {
  if (!session) return undefined
  const { touch, save, cookie } = Object(session)
  if (typeof touch !== 'function' || typeof save !== 'function' || !cookie) {
    return fault(
      'req.session was replaced by something else. Put values into it (req.session.name = value), and end it with req.session.destroy() or regenerate().',
    )
  }
  if (!hasCookie(session)) {
    return fault('req.session.cookie was replaced by something else. Set its members (req.session.cookie.maxAge = ms).')
  }
  try {
    // As express-session does at the end of every answer.
    Reflect.apply(touch, session, [])
  } catch {
    return fault('req.session.cookie has a lifetime that is none: "maxAge" is milliseconds, "expires" a Date or null.')
  }
  try {
    const text: string | undefined = JSON.stringify(session)
    if (text?.startsWith('{')) return undefined
  } catch {
    // As below; the message of JSON.stringify is left out, because it may contain a value.
  }
  return fault(
    'req.session holds something that JSON cannot represent: a circular reference, a BigInt, or a toJSON() that fails or returns no object.',
  )
}

/** Whether the session still has a cookie made by express-session, and not a replacement. */
export function hasCookie(session: unknown): boolean {
  return typeof Object(Object(session).cookie).serialize === 'function'
}

function fault(message: string): PpoppoError {
  return new PpoppoError('session_invalid', message)
}
