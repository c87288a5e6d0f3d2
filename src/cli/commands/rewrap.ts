import type { CliIo } from '../io.js'
import { explainUnset, parseArguments } from '../usage.js'

const HELP = `Usage: express-ppoppo rewrap [--dry-run] [--key-prefix <prefix>]

Re-encrypts every sign-in that uses an old vault key with the first one, so that the old key can be retired. Nobody is
signed out, no sign-in lasts longer, and the app may keep running. Uses the app's environment: REDIS_URL, PPOPPO_VAULT_KEYS
(the first encrypts, all decrypt), PPOPPO_CLIENT_ID, PPOPPO_BASE_URL.

  --dry-run               count without writing
  --key-prefix <prefix>   the app's "keyPrefix", if it sets one

Exit code: 0 all records decrypt, 1 some do not (or it failed), 2 wrong usage or not configured.`

const OPTIONS = {
  'dry-run': { type: 'boolean' },
  'key-prefix': { type: 'string' },
  help: { type: 'boolean', short: 'h' },
} as const

const PROGRESS_EVERY = 1_000

/**
 * `express-ppoppo rewrap`: see its `--help`.
 *
 * @returns exit code: 0, 1 if some records do not decrypt, 2 for wrong usage or missing configuration
 */
export async function rewrap(args: readonly string[], io: CliIo): Promise<number> {
  const given = parseArguments(args, OPTIONS)
  const options = given?.positionals.length === 0 ? given.values : undefined
  if (options === undefined) {
    io.printError(
      'express-ppoppo rewrap: the only options are --dry-run and --key-prefix <prefix>; see: express-ppoppo rewrap --help',
    )
    return 2
  }
  if (options.help === true) {
    io.print(HELP)
    return 0
  }
  const parts = await configure(io, options['key-prefix'])
  if (typeof parts === 'string') {
    io.printError(`express-ppoppo rewrap: ${parts}`)
    return 2
  }
  try {
    return await rewrapWith(parts, options['dry-run'] === true, io)
  } finally {
    await parts.store.close()
  }
}

type Parts = Pick<import('../../vault/rewrap.js').RewrapParts, 'keyRing'> & {
  readonly store: import('../../store/store.js').Store
}

/** The parts, or what is missing. Loads the library here, since `keygen` must work without it. */
async function configure(io: CliIo, keyPrefix: string | undefined): Promise<Parts | string> {
  const unset = explainUnset(io.env, 'REDIS_URL', 'PPOPPO_VAULT_KEYS')
  if (unset !== undefined) return unset
  const [
    { resolveConfig },
    { isPpoppoError },
    { createKeyRing },
    { createRedisStore },
    { systemRuntime },
    { keyPrefixOf },
  ] = await Promise.all([
    import('../../config/config.js'),
    import('../../errors.js'),
    import('../../vault/keyring.js'),
    import('../../store/redis/redis-store.js'),
    import('../../lib/runtime.js'),
    import('../../config/key-prefix.js'),
  ])
  try {
    // The session would only require a secret, and this command signs no cookie.
    const config = resolveConfig({ session: false, ...(keyPrefix === undefined ? {} : { keyPrefix }) }, io.env)
    if (config.redis === undefined || config.vaultKeys === undefined) return 'REDIS_URL or PPOPPO_VAULT_KEYS is not set'
    return {
      store: createRedisStore({ redis: config.redis, prefix: keyPrefixOf(config) }),
      keyRing: createKeyRing({ keys: config.vaultKeys, clientId: config.clientId, runtime: systemRuntime }),
    }
  } catch (error) {
    if (isPpoppoError(error, 'config_invalid')) return error.message
    throw error
  }
}

async function rewrapWith(parts: Parts, isDryRun: boolean, io: CliIo): Promise<number> {
  const { rewrapAll } = await import('../../vault/rewrap.js')
  const result = await rewrapAll({ ...parts, isDryRun }, ({ seen, rewrapped }) => {
    if (seen % PROGRESS_EVERY === 0) io.print(`... ${seen} seen, ${rewrapped} rewrapped`)
  })
  const verb = isDryRun ? 'would be rewrapped' : 'rewrapped'
  io.print(`${result.seen} seen, ${result.rewrapped} ${verb}, ${result.unreadable} unreadable`)
  if (result.unreadable === 0) return 0
  io.printError(
    `express-ppoppo rewrap: ${result.unreadable} of ${result.seen} records are damaged or do not decrypt with any of the keys in PPOPPO_VAULT_KEYS; they were left unchanged. Is an older key missing from the list?`,
  )
  return 1
}
