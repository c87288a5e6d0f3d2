import type { CliIo } from '../io.js'
import { createNewSecrets, dateId } from '../new-secrets.js'
import { parseArguments } from '../usage.js'

const HELP = `Usage: express-ppoppo keygen [--id <id>]

Prints a new session secret and a new vault key, ready to paste into .env or a secret store.

  --id <id>   id of the vault key: letters, digits, _ and - (default: today's date, such as k20261120)

To rotate a key, deploy twice: first append the new entry to the comma-separated list everywhere, then move it to the front.`

/**
 * `express-ppoppo keygen`: prints two environment variables, with values from the system's random source.
 *
 * @returns exit code: 0, or 2 for wrong usage
 */
export async function keygen(args: readonly string[], io: CliIo): Promise<number> {
  const given = parseArguments(args, { id: { type: 'string' }, help: { type: 'boolean', short: 'h' } })
  const options = given?.positionals.length === 0 ? given.values : undefined
  if (options === undefined || (options.id !== undefined && !/^[A-Za-z0-9_-]{1,64}$/.test(options.id))) {
    io.printError(
      'express-ppoppo keygen: the only option is --id <letters, digits, _ and ->; see: express-ppoppo keygen --help',
    )
    return 2
  }
  if (options.help === true) {
    io.print(HELP)
    return 0
  }
  const { sessionSecret, vaultKey } = createNewSecrets(options.id ?? dateId(io.now()))
  io.print(`PPOPPO_SESSION_SECRET=${sessionSecret}`)
  io.print(`PPOPPO_VAULT_KEYS=${vaultKey}`)
  return 0
}
