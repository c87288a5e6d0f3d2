import { hash } from 'node:crypto'

const LENGTH_BYTES = 4

/**
 * SHA-256 of a list of strings. Each is prefixed with its length, so that no two lists hash the same input.
 * @returns 43 characters of base64url.
 */
export function digestOf(...parts: readonly string[]): string {
  return hash('sha256', lengthPrefixed(parts), 'base64url')
}

/** Strings, each as its length (4 bytes, big-endian) followed by its UTF-8 bytes. */
export function lengthPrefixed(parts: readonly string[]): Buffer {
  let size = 0
  for (const part of parts) size += LENGTH_BYTES + Buffer.byteLength(part)
  const bytes = Buffer.allocUnsafe(size)
  let at = 0
  for (const part of parts) {
    const length = bytes.write(part, at + LENGTH_BYTES)
    bytes.writeUInt32BE(length, at)
    at += LENGTH_BYTES + length
  }
  return bytes
}
