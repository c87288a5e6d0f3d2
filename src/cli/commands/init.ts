import { applyChanges } from '../init/change.js'
import { type Plan, planInit } from '../init/plan.js'
import { printPlan, toJson } from '../init/print-plan.js'
import { processTerminal, type Terminal } from '../init/terminal.js'
import type { CliIo } from '../io.js'
import { createNewSecrets, dateId } from '../new-secrets.js'
import { parseArguments } from '../usage.js'

const HELP = `Usage: express-ppoppo init [--yes | --dry-run] [--json] [--entry <file>]

Adds Sign in with Ppoppo to the Express or NestJS app here: an "auth" module, the two lines that mount it, the variables in
.env, and .env in .gitignore. Shows what it will change and asks. Only inserts lines: nothing that is there is changed. Run
again, it does nothing.

  --yes            change without asking
  --dry-run        only show
  --json           one JSON object instead of text; with --yes or --dry-run
  --entry <file>   the file that creates the app, if it is not found automatically

Exit code: 0 done or nothing to do, 1 something is left for you to do (it is printed) or you said no, 2 wrong usage, no app
here, or a file cannot be written.`

const OPTIONS = {
  yes: { type: 'boolean', short: 'y', default: false },
  'dry-run': { type: 'boolean', default: false },
  json: { type: 'boolean', default: false },
  entry: { type: 'string' },
  help: { type: 'boolean', short: 'h' },
} as const

/**
 * `express-ppoppo init`: see its `--help`.
 *
 * @param from folder of the app
 * @returns exit code: 0, 1 something is left to the user, 2 wrong usage or nothing to work on
 */
export async function init(
  args: readonly string[],
  io: CliIo,
  from: string = process.cwd(),
  terminal: Terminal = processTerminal,
): Promise<number> {
  const fail = (problem: string): number => {
    io.printError(`express-ppoppo init: ${problem}`)
    return 2
  }
  const given = parseArguments(args, OPTIONS)
  if (given === undefined || given.positionals.length > 0 || (given.values.yes && given.values['dry-run'])) {
    return fail('takes --yes or --dry-run, --json and --entry <file>; see --help')
  }
  const { yes, json, entry, help, 'dry-run': isDryRun } = given.values
  if (help === true) {
    io.print(HELP)
    return 0
  }
  const plan = await planInit({ folder: from, entry, secrets: createNewSecrets(dateId(io.now())) })
  if (typeof plan === 'string') return fail(plan)
  if (!json) printPlan(plan, io)
  const isAsking = !yes && !isDryRun && plan.changes.length > 0
  if (isAsking && (json || !terminal.isInteractive)) {
    return fail('this is not an interactive terminal; add --yes to make these changes, or --dry-run to see them')
  }
  const isWanted = yes || (isAsking && /^y(es)?$/i.test((await terminal.ask('\nMake these changes? [y/N] ')).trim()))
  const problem = isWanted ? await applyChanges(from, plan.changes) : undefined
  if (problem !== undefined) return fail(problem)
  if (json) io.print(JSON.stringify(toJson(plan, isWanted), undefined, 2))
  else if (isWanted && plan.changes.length > 0) printDone(plan, io)
  if (isAsking && !isWanted) io.print('Nothing was changed.')
  return plan.manual !== undefined || (isAsking && !isWanted) ? 1 : 0
}

function printDone({ changes, next }: Plan, { print }: CliIo): void {
  print(`\nWritten: ${changes.map(({ file }) => file).join(', ')}\n\nNext:`)
  for (const step of next) print(`  ${step}`)
}
