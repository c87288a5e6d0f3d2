/** `firstMs`, doubled so many times, and `longestMs` at most. @param times below 0 counts as 0 */
export function doubled(firstMs: number, times: number, longestMs: number): number {
  return Math.min(longestMs, firstMs * 2 ** Math.max(0, times))
}

/** A tenth more, at random: keeps those who were asked to wait as long from coming back at once. */
export function spread(ms: number, random: () => number): number {
  return Math.ceil(ms * (1 + random() / 10))
}
