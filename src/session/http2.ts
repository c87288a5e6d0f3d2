import type { ServerResponse } from 'node:http'
import { defineHidden } from '../lib/define-hidden.js'

/**
 * An answer over HTTP/2 lets its headers go without `writeHead`, which is where express-session, and what sets cookies
 * here, look at them; and it lacks the inner method that express-session calls instead, whose absence ends the process.
 */
export function mendHttp2(res: ServerResponse): void {
  if (typeof Reflect.get(res, 'createPushResponse') !== 'function') return
  const letHeadersGo = (): void => {
    if (!res.headersSent) res.writeHead(res.statusCode)
  }
  defineHidden(res, '_implicitHeader', letHeadersGo)
  for (const name of ['write', 'end', 'flushHeaders'] as const) {
    const original = res[name]
    defineHidden(res, name, (...args: unknown[]): unknown => {
      letHeadersGo()
      return Reflect.apply(original, res, args)
    })
  }
}
