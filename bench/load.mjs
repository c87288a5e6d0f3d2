/** `npm run test:load`: many signed-in people while Redis fails in every way. See `bench/README.md`. */
import { runToEnd } from '../scripts/lib/processes.mjs'
import { numberOption, parseOptions } from './lib/options.mjs'
import { prepareLibrary } from './lib/prepare.mjs'

const USAGE = `npm run test:load -- [options]

  --clients N      people who are signed in and ask (default 1000, 10 to 10000)
  --seconds N      how long they ask (default 60, 20 to 3600); the faults are spread over it
  --per-second N   how many of them ask each second (default: a fifth of them, or a quarter of what the app can answer)
  --help           this text
`

await runToEnd(async () => {
  const options = parseOptions(process.argv.slice(2), USAGE, ['clients', 'seconds', 'per-second'], (values) => {
    const clients = numberOption(values, 'clients', 1_000, [10, 10_000])
    const seconds = numberOption(values, 'seconds', 60, [20, 3_600])
    return { clients, seconds, perSecond: numberOption(values, 'per-second', undefined, [1, 10_000]) }
  })
  if (typeof options === 'number') return options
  await prepareLibrary()
  const { runLoad } = await import('./load/run-load.mjs')
  return runLoad(options)
})
