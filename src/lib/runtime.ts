import { randomFillSync } from 'node:crypto'
import { fetchOverHttp } from './fetch-over-http.js'
import type { PpoppoFetch } from './http.js'

/** What the core needs from the outside world. Tests supply their own. */
export interface Runtime {
  /** Milliseconds since the epoch. The clock may be set: for dates, and for times that other machines compare. */
  now(): number
  /** Milliseconds of a monotonic clock: for durations within this process. */
  monotonic(): number
  readonly fetch: PpoppoFetch
  /** `size` bytes from a cryptographically secure source. */
  randomBytes(size: number): Buffer
}

/** Asking for many random bytes takes hardly longer than for a few. Each is handed out once, and does not stay here. */
const pool = Buffer.alloc(2_048)
let used = pool.length

function randomBytes(size: number): Buffer {
  if (size > pool.length) return randomFillSync(Buffer.alloc(size))
  if (used + size > pool.length) {
    randomFillSync(pool)
    used = 0
  }
  const bytes = Buffer.from(pool.subarray(used, used + size))
  pool.fill(0, used, used + size)
  used += size
  return bytes
}

const NODES_FETCH = globalThis.fetch

/** The real clock, fetch and random source. */
export const systemRuntime: Runtime = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  // Tests and tracers replace the global `fetch`: then theirs is asked.
  fetch: (url, request) => (globalThis.fetch === NODES_FETCH ? fetchOverHttp : globalThis.fetch)(url, request),
  randomBytes,
}

/** `bits` random bits as base64url: 128 bits are 22 characters, 256 bits 43. */
export function randomToken(runtime: Runtime, bits: 128 | 256): string {
  return runtime.randomBytes(bits / 8).toString('base64url')
}
