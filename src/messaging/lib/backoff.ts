/** `firstMs` doubled `times` times, at most `longestMs`. @param times a negative number counts as 0 */
export function doubled(firstMs: number, times: number, longestMs: number): number {
  return Math.min(longestMs, firstMs * 2 ** Math.max(0, times))
}

/** Up to a tenth more, at random, so that clients that were asked to wait equally long do not return at the same moment. */
export function spread(ms: number, random: () => number): number {
  return Math.ceil(ms * (1 + random() / 10))
}
