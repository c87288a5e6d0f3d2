import { type IncomingMessage, STATUS_CODES } from 'node:http'
import type { Config } from '../config/options.js'
import type { ProblemCode } from '../http/problem.js'
import { docsUrl } from '../lib/docs-url.js'

const guarded = new WeakSet<object>()
const RETRY_AFTER_SECONDS = 5

/**
 * After an upgrade nobody handles the errors of the connection until a WebSocket library takes over, and an error without a
 * listener would end the process.
 */
export function guardConnection({ socket, headers }: IncomingMessage): void {
  if (headers.upgrade === undefined || guarded.has(socket)) return
  guarded.add(socket)
  socket.on('error', () => {})
}

/** Answers an upgrade with `application/problem+json` (RFC 9457), and closes the connection. */
export function refuseUpgrade(
  { socket }: IncomingMessage,
  error: { readonly status: number; readonly code: ProblemCode; readonly message: string },
  { origin, mountPath }: Pick<Config, 'origin' | 'mountPath'>,
): void {
  const { status, code, message } = error
  const title = STATUS_CODES[status] ?? 'Refused'
  const loginUrl = `${origin}${mountPath}/login`
  const body = JSON.stringify({
    type: docsUrl('errors', code),
    status,
    code,
    title,
    detail: message,
    ...(status === 401 ? { loginUrl } : {}),
  })
  const lines = [
    `HTTP/1.1 ${status} ${title}`,
    'Connection: close',
    'Content-Type: application/problem+json',
    `Content-Length: ${Buffer.byteLength(body)}`,
    'Cache-Control: private, no-store',
    'X-Content-Type-Options: nosniff',
    ...(status === 401 ? [`WWW-Authenticate: Ppoppo realm="${origin}", login="${loginUrl}"`] : []),
    ...(status === 503 ? [`Retry-After: ${RETRY_AFTER_SECONDS}`] : []),
  ]
  socket.once('finish', () => socket.destroy())
  socket.end(`${lines.join('\r\n')}\r\n\r\n${body}`)
}
