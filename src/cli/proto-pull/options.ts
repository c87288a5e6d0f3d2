import type { MessagingConfig, MessagingOptions } from '../../config/messaging-options.js'
import type { PullOptions } from '../../messaging/pull/reflection.js'
import type { CliIo } from '../io.js'
import { parseArguments, parseSeconds } from '../usage.js'

const MAX_SECONDS = 3_600

const OPTIONS = {
  out: { type: 'string', default: 'ppoppo.desc' },
  force: { type: 'boolean', default: false },
  token: { type: 'string' },
  timeout: { type: 'string', default: '20' },
  help: { type: 'boolean', short: 'h' },
} as const

/** The arguments of `proto pull`. */
export interface ProtoPullArgs {
  readonly url: string
  readonly out: string
  readonly isForced: boolean
  readonly timeoutMs: number
  /** Name of the environment variable with the token. */
  readonly tokenName?: string
}

/** Parses the arguments. @returns `undefined` for wrong usage */
export function parseProtoPull(args: readonly string[]): ProtoPullArgs | 'help' | undefined {
  const given = parseArguments(args, OPTIONS)
  if (given === undefined) return undefined
  const { help, out, force, token, timeout } = given.values
  if (help === true) return 'help'
  const [action, url, ...rest] = given.positionals
  const timeoutMs = parseSeconds(timeout, MAX_SECONDS)
  const isValid = action === 'pull' && url !== undefined && rest.length === 0 && out.trim() !== ''
  if (!isValid || timeoutMs === undefined) return undefined
  return {
    url,
    out,
    isForced: force,
    timeoutMs,
    ...(token === undefined ? {} : { tokenName: token }),
  }
}

/** How to reach the server, and where to get a token; or what is wrong. */
export async function configureProtoPull(
  args: ProtoPullArgs,
  io: CliIo,
): Promise<{ readonly config: MessagingConfig; readonly options: PullOptions } | string> {
  const [
    { messagingFaults, parseMessagingConfig, resolveMessagingConfig },
    { isPpoppoError },
    { createTokenSource },
    { systemMessagingRuntime },
  ] = await Promise.all([
    import('../../config/messaging.js'),
    import('../../errors.js'),
    import('../../messaging/channel/token-source.js'),
    import('../../messaging/lib/runtime.js'),
  ])
  const asked = { apiUrl: args.url, deadlineMs: args.timeoutMs }
  // The URL alone first: it is a fault of the command line, whatever the environment contains.
  const faults = messagingFaults({ apiUrl: '<url>' })
  const alone = parseMessagingConfig(asked, {}, faults)
  if (faults.lines.length > 0) return faults.lines.join('; ')
  const attempt = (env: NodeJS.ProcessEnv, options: MessagingOptions = asked): MessagingConfig | string => {
    try {
      return resolveMessagingConfig(options, env)
    } catch (error) {
      if (isPpoppoError(error, 'config_invalid')) return error.message
      throw error
    }
  }
  const token = args.tokenName === undefined ? undefined : (io.env[args.tokenName] ?? '').trim()
  if (token === '')
    return '--token must name an environment variable with an access token, but that variable is not set'
  if (token !== undefined) {
    if (!/^[\x21-\x7e]{1,16384}$/.test(token)) return 'the variable named by --token does not contain an access token'
    return { config: alone, options: { token: async () => token } }
  }
  const config = attempt(io.env)
  if (typeof config === 'string') return config
  if (!config.credentials) return { config, options: {} }
  const own = attempt(io.env, {})
  if (typeof own === 'string' || !isSameHost(own.apiUrl, config.apiUrl)) {
    return { config: alone, options: { tokenAdvice: WITHHELD } }
  }
  const tokens = createTokenSource({ config, runtime: systemMessagingRuntime })
  return { config, options: { token: () => tokens.token() } }
}

/** The app's token is only for the app's own API: whoever gets it can send as the app. */
const WITHHELD =
  "The app's token is only sent to the host of PCS_API_URL (by default that of PPOPPO_ENVIRONMENT). If this is the right server, set PCS_API_URL to it, or send another token with --token <NAME>"

function isSameHost(one: string, other: string): boolean {
  return new URL(one).origin === new URL(other).origin
}
