import type { ServerResponse } from 'node:http'
import { defineHidden } from '../lib/define-hidden.js'

/**
 * Makes an HTTP/2 answer call `writeHead` before it sends its headers, because that is when cookies are set.
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
