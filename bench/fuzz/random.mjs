/** Random choices that a seed and a number decide: each request can be made alone. */
export function createRandom(seed, number) {
  // splitmix32 over both.
  let state = (seed ^ Math.imul(number + 1, 0x9e3779b9)) >>> 0
  const next = () => {
    state = (state + 0x9e3779b9) >>> 0
    let mixed = state ^ (state >>> 16)
    mixed = Math.imul(mixed, 0x21f0aaad)
    mixed ^= mixed >>> 15
    mixed = Math.imul(mixed, 0x735a2d97)
    return (mixed ^ (mixed >>> 15)) >>> 0
  }
  const random = {
    /** A whole number from 0 to below `below`. */
    number: (below) => next() % below,
    oneOf: (list) => list[next() % list.length],
    /** True once in so many times. */
    once: (inTimes) => next() % inTimes === 0,
    text(length, alphabet) {
      return Array.from({ length }, () => alphabet[next() % alphabet.length]).join('')
    },
  }
  return random
}
