import { randomBytes } from 'node:crypto'

/** What the core needs from the outside world. Tests supply their own. */
export interface Runtime {
  /** Milliseconds since the epoch. The clock may be set: for dates, and for times that other machines compare. */
  now(): number
  /** Milliseconds of a monotonic clock: for durations within this process. */
  monotonic(): number
  fetch(url: string | URL, init: RequestInit): Promise<Response>
  /** `size` bytes from a cryptographically secure source. */
  randomBytes(size: number): Buffer
}

/** The real clock, fetch and random source. */
export const systemRuntime: Runtime = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  fetch: (url, init) => globalThis.fetch(url, init),
  randomBytes: (size) => randomBytes(size),
}

/** `bits` random bits as base64url: 128 bits are 22 characters, 256 bits 43. */
export function randomToken(runtime: Runtime, bits: 128 | 256): string {
  return runtime.randomBytes(bits / 8).toString('base64url')
}
