import type { FindingLevel } from '../../doctor/catalogue.js'
import { diagnose } from '../../doctor/diagnose.js'
import { readSetup } from '../../doctor/setup.js'
import { systemRuntime } from '../../lib/runtime.js'
import { type ReadEnvironment, readEnvironment } from '../doctor/env-file.js'
import { parseDoctor } from '../doctor/options.js'
import { printDiagnosis } from '../doctor/print-diagnosis.js'
import type { CliIo } from '../io.js'

const HELP = `Usage: express-ppoppo doctor [--json] [--production] [--env-file <file>] [options of the app]

Checks the environment of the app, its packages, Redis, PAS, the registration of the callback, and the Messaging API. Says how
to fix each fault. Changes nothing: Redis gets a few keys that expire after ten seconds, PAS one authorization request.
auth.diagnose() returns the same from inside the app.

  --json                one JSON object: { "level", "findings": [{ "code", "level", "what", "why", "fix", "docsUrl" }] }
  --production          check as with NODE_ENV=production
  --env-file <file>     file with the environment (default: .env, if there is one; variables that are set win)
  --timeout <seconds>   how long each check may take (default: 5)

What your app sets in code and not in the environment:

  --mount-path <path>     "mountPath"
  --key-prefix <prefix>   "keyPrefix"
  --cookie-name <name>    "session.cookieName"
  --app-session           "session: false": the app has a session of its own

Exit code: 0 if all is well, 1 for warnings or if something could not be checked, 2 for errors or wrong usage.`

const EXIT_CODES: Readonly<Record<FindingLevel, number>> = { ok: 0, warn: 1, error: 2 }

/**
 * `express-ppoppo doctor`: see its `--help`.
 *
 * @param from folder of the app
 * @param nodeVersion such as `'22.11.0'`
 * @returns exit code: 0, 1 warnings, 2 errors or wrong usage
 */
export async function doctor(
  args: readonly string[],
  io: CliIo,
  from: string = process.cwd(),
  nodeVersion: string = process.versions.node,
): Promise<number> {
  const fail = (problem: string): number => {
    io.printError(`express-ppoppo doctor: ${problem}`)
    return 2
  }
  const given = parseDoctor(args)
  if (given === undefined) {
    return fail(
      'takes --json, --production, --env-file <file>, --timeout <1 to 60 seconds> and options of the app; see --help',
    )
  }
  if (given === 'help') {
    io.print(HELP)
    return 0
  }
  const read = readEnvironment(io.env, from, given.envFile)
  if (typeof read === 'string') return fail(read)
  const env = given.isProduction ? { ...read.env, NODE_ENV: 'production' } : read.env
  const runtime = { ...systemRuntime, now: () => io.now().getTime() }
  const { options, timeoutMs } = given
  if (!given.json && read.file !== undefined) io.print(`${describeFile(read)}\n`)
  const found = await diagnose({ setup: readSetup(options, env), runtime, from, nodeVersion, timeoutMs })
  if (given.json) io.print(JSON.stringify(found, undefined, 2))
  else printDiagnosis(found, io)
  return EXIT_CODES[found.level]
}

function describeFile({ file, named, added }: ReadEnvironment): string {
  const before = named - added
  const set = before === 0 ? '' : `, ${before} more ${before === 1 ? 'was' : 'were'} set already`
  return `${added} ${added === 1 ? 'variable' : 'variables'} from ${file}${set}`
}
