import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'

const LIMIT_BYTES = 56 * 1024

/**
 * Looks at a form without using it up: the bytes are put back, and whoever comes next reads them as if untouched.
 * oidc-provider wants to parse its own bodies. A body without a length (sent in chunks) is left unseen.
 */
export async function peekForm(request: IncomingMessage): Promise<URLSearchParams> {
  const length = Number(request.headers['content-length'] ?? 0)
  if (!(length > 0 && length <= LIMIT_BYTES)) return new URLSearchParams()
  const chunks: Buffer[] = []
  for (let seen = 0; seen < length; ) {
    const chunk: unknown = request.read()
    if (Buffer.isBuffer(chunk)) {
      chunks.push(chunk)
      seen += chunk.length
    } else {
      if (request.destroyed) return new URLSearchParams()
      await once(request, 'readable')
    }
  }
  const body = Buffer.concat(chunks)
  // In the same tick as the last read: after the stream has emitted `end` it takes nothing back.
  request.unshift(body)
  return new URLSearchParams(body.toString('utf8'))
}
