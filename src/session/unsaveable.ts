import { PpoppoError } from '../errors.js'

/**
 * What is wrong with a session that cannot be saved, which express-session only finds out when nobody hears of it any
 * more; `undefined` where nothing is, or there is no session.
 */
export function faultOf(session: unknown): PpoppoError | undefined {
  if (!session) return undefined
  const { touch, save, cookie } = Object(session)
  if (typeof touch !== 'function' || typeof save !== 'function' || !cookie) {
    return fault(
      'req.session was replaced by something else. Put values into it (req.session.name = value), and end it with req.session.destroy() or regenerate().',
    )
  }
  try {
    if (typeof JSON.stringify(session) === 'string') return undefined
  } catch {
    // As below; what JSON.stringify says of it may hold a value.
  }
  return fault('req.session holds something that JSON cannot: a circle, a BigInt, or a toJSON() that fails.')
}

function fault(message: string): PpoppoError {
  return new PpoppoError('session_invalid', message)
}
