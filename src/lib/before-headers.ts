import type { ServerResponse } from 'node:http'
import onHeaders from 'on-headers'

/**
 * Calls `listener` just before the headers of an answer are sent, as `on-headers` does, which collects what `writeHead` is
 * given. Most answers give it nothing but the status, and need none of that: this runs with every request.
 */
export function beforeHeaders(res: ServerResponse, listener: () => void): void {
  const writeHead = res.writeHead as (...args: unknown[]) => ServerResponse
  if (typeof writeHead !== 'function') return onHeaders(res, listener)
  let isDue = true
  res.writeHead = function (this: ServerResponse, ...args: unknown[]): ServerResponse {
    if (args.length > 1) {
      // `on-headers` puts its own function on what it is given, and calls that which was there.
      const carrier = { writeHead: (...rest: unknown[]) => Reflect.apply(writeHead, this, rest) }
      onHeaders(carrier as unknown as ServerResponse, () => fire())
      return Reflect.apply(carrier.writeHead, this, args)
    }
    const [statusCode] = args
    this.statusCode = statusCode as number
    fire()
    return Reflect.apply(writeHead, this, [this.statusCode])
  } as ServerResponse['writeHead']

  function fire(): void {
    if (!isDue) return
    isDue = false
    listener()
  }
}
