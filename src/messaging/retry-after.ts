/** No server is waited for longer than this, whatever it asks. */
const MOST_MS = 86_400_000

/** `retry-after-ms` in milliseconds, else `retry-after` in seconds. @returns milliseconds; `undefined` without a hint */
export function toRetryAfterMs(seconds: string | undefined, milliseconds?: string): number | undefined {
  return toMs(milliseconds, 1) ?? toMs(seconds, 1_000)
}

function toMs(text: string | undefined, unitMs: number): number | undefined {
  if (text === undefined || !/^\s*\d{1,15}(\.\d{1,6})?\s*$/.test(text)) return undefined
  return Math.min(MOST_MS, Math.ceil(Number(text) * unitMs))
}
