import { randomBytes } from 'node:crypto'
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

const NODES_FETCH = globalThis.fetch
/** Where undici keeps its dispatcher, by version of its interface, and the classes that are there if nobody set another. */
const DISPATCHERS = [Symbol.for('undici.globalDispatcher.1'), Symbol.for('undici.globalDispatcher.2')]
const USUAL_DISPATCHERS = ['Agent', 'Dispatcher1Wrapper']

/** Tests and tracers replace the global `fetch`, and `setGlobalDispatcher` sends it through a proxy: then that is asked. */
function isFetchAltered(): boolean {
  if (globalThis.fetch !== NODES_FETCH) return true
  return DISPATCHERS.some((key) => {
    const dispatcher: unknown = Reflect.get(globalThis, key)
    return dispatcher !== undefined && !USUAL_DISPATCHERS.includes(String(dispatcher?.constructor?.name))
  })
}

/** The real clock, fetch and random source. */
export const systemRuntime: Runtime = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  fetch: (url, request) => (isFetchAltered() ? globalThis.fetch : fetchOverHttp)(url, request),
  randomBytes: (size) => randomBytes(size),
}

/** `bits` random bits as base64url: 128 bits are 22 characters, 256 bits 43. */
export function randomToken(runtime: Runtime, bits: 128 | 256): string {
  return runtime.randomBytes(bits / 8).toString('base64url')
}
