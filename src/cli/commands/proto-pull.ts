import type { CliIo } from '../io.js'
import { configureProtoPull, parseProtoPull } from '../proto-pull/options.js'
import { printPulled } from '../proto-pull/report.js'
import { writeWhole } from '../write-whole.js'

const HELP = `Usage: express-ppoppo proto pull <url> [--out <file>] [--force] [--token <NAME>] [--timeout <seconds>]

Fetches the definition of the Messaging API from its server by gRPC server reflection, writes it as a descriptor set, and
shows how it differs from the one in this package, whose field numbers are not the vendor's. To use it in the client:
createMessaging({ descriptor: './ppoppo.desc' }), or ppoppo({ messaging: { descriptor: './ppoppo.desc' } }).

  <url>                 such as https://api.ppoppo.com/ext, including the path; http on localhost only
  --out <file>          file to write (default: ppoppo.desc)
  --force               also replace a file that is not a descriptor set
  --token <NAME>        environment variable with the access token to send
  --timeout <seconds>   limit for the whole command (default: 20)

If the server requires an access token, it gets the app's (PAS_PCS_CLIENT_ID, PAS_PCS_CLIENT_SECRET, PAS_TOKEN_URL), but only
if the URL has the host of PCS_API_URL (or of PPOPPO_ENVIRONMENT). Any other host only gets the token named by --token.

Exit code: 0 no difference that matters, 1 a difference that matters, 2 wrong usage or the file cannot be written,
3 server not reached or no reflection, 130 interrupted.`

const INTERRUPTED = 130

/**
 * `express-ppoppo proto pull`: see its `--help`.
 *
 * @param args the arguments after `proto`: `['pull', 'https://api.ppoppo.com/ext']`
 * @returns exit code: 0, 1 a difference that matters, 2 wrong usage, 3 no answer, 130 interrupted
 */
export async function protoPull(args: readonly string[], io: CliIo): Promise<number> {
  const fail = (code: number, problem: string): number => {
    io.printError(`express-ppoppo proto pull: ${oneLine(problem)}`)
    return code
  }
  const given = parseProtoPull(args)
  if (given === undefined) {
    return fail(
      2,
      'takes one URL: express-ppoppo proto pull <url> [--out <file>] [--force] [--token <NAME>] [--timeout <seconds>]; see --help',
    )
  }
  if (given === 'help') {
    io.print(HELP)
    return 0
  }
  const [{ pullDescriptor, isDescriptorSet }, { refuseToWrite }, { isPpoppoError }] = await Promise.all([
    import('../../messaging/pull/pull.js'),
    import('../proto-pull/descriptor-file.js'),
    import('../../errors.js'),
  ])
  const setup = await configureProtoPull(given, io)
  if (typeof setup === 'string') return fail(2, setup)
  const refusal = await refuseToWrite(given.out, isDescriptorSet)
  if (refusal && !(given.isForced && refusal.isForceable)) return fail(2, `--out ${refusal.text}`)

  const interruption = new AbortController()
  const onInterrupt = (): void => interruption.abort()
  process.once('SIGINT', onInterrupt)
  try {
    const pulled = await pullDescriptor(setup.config, { ...setup.options, signal: interruption.signal })
    const problem = await writeWhole(given.out, pulled.bytes)
    if (problem !== undefined) return fail(2, `--out ${problem}`)
    return printPulled(pulled, { url: setup.config.apiUrl, out: given.out }, io)
  } catch (error) {
    if (interruption.signal.aborted) return fail(INTERRUPTED, 'interrupted; nothing was written')
    if (isPpoppoError(error)) return fail(3, error.message)
    throw error
  } finally {
    process.off('SIGINT', onInterrupt)
  }
}

/** Joins the faults of a configuration, which are one per line. */
function oneLine(text: string): string {
  return text
    .split('\n')
    .map((line) => (line.startsWith('- ') ? line.slice(2) : line).trim())
    .join(' ')
}
