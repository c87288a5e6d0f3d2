import { parseArgs } from 'node:util'
import { numberOption } from './options.mjs'

export const USAGE = `npm run bench -- [options]

  --only B1,B3     these benchmarks only
  --rounds N       how often each contender is measured (default 5, 1 to 50)
  --quick          few requests in 1 round, to see that all works; the figures mean nothing
  --json FILE      also writes the results as JSON
  --markdown FILE  also writes the tables as Markdown
  --stored N       B1 with so many more sign-ins of express-ppoppo in Redis (0 to 5000000); 1,000,000 take some GB
  --soak SECONDS   instead of benchmarks: full load for so long (30 to 86400), memory flat and nothing left open?
  --profile DIR    also writes CPU profiles there, and shows where express-ppoppo's time goes; slows all down
  --write-docs     also writes docs/performance.md, from all benchmarks
  --help           this text
`

/**
 * @param {readonly string[]} args
 * @param {readonly string[]} ids of the benchmarks there are
 * @throws Error saying what is wrong
 */
export function parseArguments(args, ids) {
  const { values } = parseArgs({
    args: [...args],
    options: {
      only: { type: 'string' },
      rounds: { type: 'string' },
      quick: { type: 'boolean' },
      json: { type: 'string' },
      'write-docs': { type: 'boolean' },
      markdown: { type: 'string' },
      stored: { type: 'string' },
      soak: { type: 'string' },
      profile: { type: 'string' },
      help: { type: 'boolean', short: 'h' },
    },
  })
  const only = values.only === undefined ? ids : values.only.split(',').map((id) => id.trim().toUpperCase())
  for (const id of only)
    if (!ids.includes(id)) throw new Error(`--only: there is no ${id}; there are ${ids.join(', ')}`)
  const isQuick = values.quick ?? false
  const rounds = Number(values.rounds ?? (isQuick ? 1 : 5))
  if (!Number.isInteger(rounds) || rounds < 1 || rounds > 50) throw new Error('--rounds: a whole number from 1 to 50')
  const stored = numberOption(values, 'stored', 0, [0, 5_000_000])
  const soak = numberOption(values, 'soak', undefined, [30, 86_400])
  const writeDocs = values['write-docs'] ?? false
  if (writeDocs && (isQuick || values.only !== undefined || values.profile !== undefined))
    throw new Error(
      '--write-docs: needs all benchmarks at their full size, so neither --only nor --quick nor --profile',
    )
  return { ...values, writeDocs, only, isQuick, rounds, stored, soak }
}
