import { createHash } from 'node:crypto'

/**
 * SHA-256 of a list of strings. Each is prefixed with its length, so that no two lists hash the same input.
 * @returns 43 characters of base64url.
 */
export function digestOf(...parts: readonly string[]): string {
  const hash = createHash('sha256')
  for (const part of parts) hash.update(lengthPrefixed(part))
  return hash.digest('base64url')
}

/** A string as its length (4 bytes, big-endian) followed by its UTF-8 bytes. */
export function lengthPrefixed(text: string): Buffer {
  const bytes = Buffer.from(text, 'utf8')
  const length = Buffer.alloc(4)
  length.writeUInt32BE(bytes.length)
  return Buffer.concat([length, bytes])
}
