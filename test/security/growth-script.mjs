// Reads [{ source, flags }] from standard input and prints how the time of each grows, as a list of texts. A process of
// its own: inside Jest's sandbox the checker takes ten times as long.
import { text } from 'node:stream/consumers'

// Without a worker or a binary.
process.env['RECHECK_SYNC_BACKEND'] = 'pure'
const { checkSync } = await import('recheck')

/** By the number of characters read, not by a clock: on a busy machine a fast expression would count as slow. */
const BY_STEPS = { attackTimeout: null, incubationTimeout: null, seedingTimeout: null, timeout: 120_000 }

/** By automata; by looking for a slow text where those grow too large. */
function growthOf({ source, flags }) {
  const decided = checkSync(source, flags, { checker: 'automaton', timeout: 60_000 })
  const found = decided.status === 'unknown' ? checkSync(source, flags, { checker: 'fuzz', ...BY_STEPS }) : decided
  if (found.status === 'vulnerable') return found.complexity.summary
  return found.status === 'safe' ? 'safe' : 'cannot be decided'
}

console.log(JSON.stringify(JSON.parse(await text(process.stdin)).map(growthOf)))
