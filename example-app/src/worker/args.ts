import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { WrongInput } from './wrong-input.js'

export interface WorkerArgs {
  /** As it was typed, for messages. */
  readonly given: string
  readonly file: string
  readonly template: string
  /** With Redis: the campaign's name. `undefined`: the list's. */
  readonly campaign: string | undefined
  readonly skipBad: boolean
  readonly startOver: boolean
  readonly chunkSize: number
  readonly concurrency: number
}

const USAGE =
  'npm run worker -w example-app -- <numbers.csv> --template <id> [--campaign <name>] [--skip-bad] [--start-over]'

const HELP = `${USAGE}

The file has a header line. Its column "ppnum" holds the numbers; every other column fills the placeholder of its name.

  --template <id>      what to send
  --campaign <name>    with REDIS_URL: the campaign's name (the name of the file)
  --skip-bad           skip rows with an invalid number, instead of stopping at them
  --start-over         ignore what earlier runs have sent, and send to everybody again
  --chunk-size <n>     without REDIS_URL: recipients per call, 1 to 1000 (1000)
  --concurrency <n>    calls at a time (4)`

/** @returns `'help'` once it has been printed. @throws WrongInput in one line */
export function parseWorkerArgs(
  args: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): WorkerArgs | 'help' {
  const { values, positionals } = parse(args)
  if (values.help === true) {
    console.log(HELP)
    return 'help'
  }
  const [given, ...more] = positionals
  if (given === undefined || more.length > 0) throw wrong('one CSV file is needed')
  if (values.template === undefined || !/^[\x21-\x7e]{1,200}$/.test(values.template))
    throw wrong('--template <id> is needed')
  if (values.campaign !== undefined && !/^[\w.-]{1,100}$/.test(values.campaign))
    throw wrong('--campaign must be 1 to 100 of A-Z a-z 0-9 _ . -')
  return {
    given,
    file: resolve(folderOf(env), given),
    template: values.template,
    campaign: values.campaign,
    skipBad: values['skip-bad'] ?? false,
    startOver: values['start-over'] ?? false,
    chunkSize: wholeNumber('--chunk-size', values['chunk-size'] ?? '1000', 1_000),
    concurrency: wholeNumber('--concurrency', values.concurrency ?? '4', 64),
  }
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        template: { type: 'string' },
        campaign: { type: 'string' },
        'skip-bad': { type: 'boolean' },
        'start-over': { type: 'boolean' },
        'chunk-size': { type: 'string' },
        concurrency: { type: 'string' },
        help: { type: 'boolean', short: 'h' },
      },
    })
  } catch (error) {
    const [line = ''] = (error instanceof Error ? error.message : String(error)).split(/[.\n]/)
    throw wrong(line)
  }
}

const wrong = (what: string) => new WrongInput(`${what}. Usage: ${USAGE}`)

/** `npm run -w` starts us in the package's folder; a path is meant from where the person is. */
function folderOf(env: Readonly<Record<string, string | undefined>>): string {
  return (env['npm_lifecycle_event'] === 'worker' && env['INIT_CWD']) || process.cwd()
}

function wholeNumber(name: string, text: string, most: number): number {
  const value = Number(text)
  if (/^\d+$/.test(text) && value >= 1 && value <= most) return value
  throw wrong(`${name} must be a whole number from 1 to ${most}`)
}
