import type { Context } from '../pas/middleware.js'

const LOOPBACK_ADDRESSES = new Set(['127.0.0.1', '::1', '::ffff:127.0.0.1'])

/** Why a request must not drive the sandbox: it is from elsewhere, or, by DNS rebinding, for another name. */
export function refusalOfStranger(ctx: Context, port: number): string | undefined {
  if (!LOOPBACK_ADDRESSES.has(ctx.req.socket.remoteAddress ?? '')) return 'the control route is for this machine only'
  const hosts = ['localhost', '127.0.0.1', '[::1]'].map((host) => `${host}:${port}`)
  return hosts.includes(ctx.get('Host')) ? undefined : `Host must be one of ${hosts.join(', ')}`
}
