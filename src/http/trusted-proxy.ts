import type { Request } from 'express'

/** Whether Express trusts who this request came from: what `app.set('trust proxy', ...)` says, asked as Express asks it. */
export function isProxyTrusted(req: Request): boolean {
  const trust: unknown = req.app?.get('trust proxy fn')
  return typeof trust === 'function' && trust(req.socket.remoteAddress, 0) === true
}
