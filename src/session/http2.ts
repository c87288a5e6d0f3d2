import type { ServerResponse } from 'node:http'
import { defineHidden } from '../lib/define-hidden.js'

/**
 * An answer over HTTP/2 sends its headers without calling `writeHead`, which is where cookies are set. With this it calls it.
 */
export function callWriteHead(res: ServerResponse): void {
  if (typeof Reflect.get(res, 'createPushResponse') !== 'function') return
  const sendHeaders = (): void => {
    if (!res.headersSent) res.writeHead(res.statusCode)
  }
  for (const name of ['write', 'end', 'flushHeaders'] as const) {
    const original = res[name]
    defineHidden(res, name, (...args: unknown[]): unknown => {
      sendHeaders()
      return Reflect.apply(original, res, args)
    })
  }
}
