/** `npm run test:fuzz`: seeded random requests over all routes. See `bench/README.md`. */
import { randomInt } from 'node:crypto'
import { runToEnd } from '../scripts/lib/processes.mjs'
import { numberOption, parseOptions } from './lib/options.mjs'
import { prepareLibrary } from './lib/prepare.mjs'

const USAGE = `npm run test:fuzz -- [options]

  --requests N     how many requests (default 100000, 1 to 10000000)
  --seed N         decides what they are (default: a random one, which is printed)
  --from N         number of the first request (default 0): with --requests 1 the one that failed, alone
  --help           this text
`
const MOST = 2 ** 32 - 1

await runToEnd(async () => {
  const options = parseOptions(process.argv.slice(2), USAGE, ['requests', 'seed', 'from'], (values) => ({
    requests: numberOption(values, 'requests', 100_000, [1, 10_000_000]),
    seed: numberOption(values, 'seed', randomInt(MOST), [0, MOST]),
    from: numberOption(values, 'from', 0, [0, MOST]),
  }))
  if (typeof options === 'number') return options
  await prepareLibrary()
  const { runFuzz } = await import('./fuzz/run-fuzz.mjs')
  return runFuzz(options)
})
