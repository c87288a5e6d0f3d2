import type { MessagingConfig } from '../config/messaging-options.js'
import { isPpoppoError, type PpoppoError, type PpoppoErrorCode } from '../errors.js'
import { TIMED_OUT, within } from '../lib/wait.js'
import { CODE } from '../messaging/call/status.js'
import { fetchToken, TokenFault } from '../messaging/channel/token-request.js'
import { systemMessagingRuntime } from '../messaging/lib/runtime.js'
import { createMessagingClient } from '../messaging/messaging.js'
import { pullDescriptor } from '../messaging/pull/pull.js'
import type { FindingCode } from './catalogue.js'
import { causesIn } from './config-faults.js'
import { errorsIn, finding, notChecked } from './finding.js'
import type { DoctorSetup } from './setup.js'
import type { Finding } from './types.js'

/** What the checks of the Messaging API need. */
export interface CheckMessagingParts {
  readonly setup: DoctorSetup
  readonly timeoutMs: number
}

const SUBJECT = 'the Messaging API'

/** Checks the Messaging API, if there is an External API client: its token, its path, one call, and its definition. */
export async function checkMessaging({ setup, timeoutMs }: CheckMessagingParts): Promise<readonly Finding[]> {
  const config = setup.config.messaging
  const invalid = causesIn(setup, ['messaging', 'environment'])
  if (invalid.length > 0) return [notChecked('messaging_not_checked', SUBJECT, invalid)]
  if (config.credentials === undefined) {
    const why = 'Neither PAS_PCS_CLIENT_ID nor PAS_PCS_CLIENT_SECRET is set.'
    return [finding('messaging_unused', { what: 'no External API client: the app sends no messages', why })]
  }
  const token = await checkToken(config, timeoutMs)
  const failed = errorsIn(token.findings)
  if (token.value === undefined) return [...token.findings, notChecked('messaging_not_checked', SUBJECT, failed)]
  const answer = await checkCall(config, timeoutMs)
  return [...token.findings, ...(await checkDefinition(config, timeoutMs, token.value, answer))]
}

async function checkToken(
  config: MessagingConfig,
  timeoutMs: number,
): Promise<{ readonly findings: readonly Finding[]; readonly value?: string }> {
  const closing = new AbortController()
  const timer = setTimeout(() => closing.abort(), timeoutMs)
  try {
    const { token } = await fetchToken(config, systemMessagingRuntime, closing.signal)
    return { findings: [finding('messaging_token', { what: `${config.tokenUrl} grants a token` })], value: token }
  } catch (error) {
    if (!(error instanceof TokenFault)) throw error
    return { findings: [toTokenFinding(error, config.tokenUrl)] }
  } finally {
    clearTimeout(timer)
  }
}

const TOKEN_CODES = {
  away: 'messaging_token_unreachable',
  refused: 'messaging_credentials_rejected',
  page: 'messaging_token_url_wrong',
  set_up: 'messaging_token_unreachable',
} as const satisfies Record<TokenFault['kind'], FindingCode>

function toTokenFinding({ kind, message }: TokenFault, tokenUrl: string): Finding {
  const [why, fix] = splitAdvice(message)
  const what = {
    away: 'cannot be reached',
    refused: 'refuses the client',
    page: 'is not a token endpoint',
    set_up: 'and this machine cannot agree on TLS',
  }
  return finding(TOKEN_CODES[kind], { what: `${tokenUrl} ${what[kind]}`, why, fix })
}

/** The library's messages say what is wrong, then what to do. The second part begins with one of these words. */
function splitAdvice(message: string): readonly [why: string, fix: string] {
  const at = message.search(/(?<=[.)] )(Check|Set|Ask|If|Probably)\b/)
  return at < 0
    ? [message, 'Check PCS_API_URL, PAS_TOKEN_URL and the network.']
    : [message.slice(0, at).trim(), message.slice(at)]
}

/** One read with a fresh connection. @returns the error it ended with, `undefined` if it succeeded */
async function checkCall(config: MessagingConfig, timeoutMs: number): Promise<PpoppoError | undefined> {
  const messaging = createMessagingClient({ config, warn: () => {} })
  try {
    const health = await within(messaging.health({ deadlineMs: timeoutMs }), timeoutMs + 1_000)
    if (health === TIMED_OUT || health.error === undefined || !isPpoppoError(health.error)) return undefined
    return health.error
  } finally {
    await messaging.close()
  }
}

const CALL_CODES: Readonly<Partial<Record<PpoppoErrorCode, FindingCode>>> = {
  messaging_unavailable: 'messaging_unreachable',
  deadline_exceeded: 'messaging_unreachable',
  messaging_misconfigured: 'messaging_tls',
  credentials_rejected: 'messaging_credentials_rejected',
  permission_denied: 'messaging_forbidden',
  precondition_failed: 'messaging_not_approved',
  rate_limited: 'messaging_limited',
  quota_exceeded: 'messaging_limited',
  messaging_response_invalid: 'messaging_answer_unreadable',
}

/**
 * Asks the server for its definition, by reflection. That also decides what "no such method" means: a wrong path has no
 * reflection either.
 */
async function checkDefinition(
  config: MessagingConfig,
  timeoutMs: number,
  token: string,
  error: PpoppoError | undefined,
): Promise<readonly Finding[]> {
  const call =
    error === undefined
      ? finding('messaging', { what: `${config.apiUrl} answers a call` })
      : toCallFinding(error, config)
  if (call.code === 'messaging_unreachable' || call.code === 'messaging_tls') {
    return [
      call,
      notChecked(
        'messaging_definition_not_checked',
        "whether the server's definition of the API is the one in this package",
        [call.code],
      ),
    ]
  }
  const differs = await differences(config, timeoutMs, token)
  if (call.code === 'messaging_path_wrong' && differs !== 'no reflection') return [otherContract(config)]
  if (differs === 'no reflection') {
    const why = 'So its definition of the API cannot be compared with the one in this package.'
    return [
      call,
      ...(call.code === 'messaging_path_wrong'
        ? []
        : [finding('messaging_reflection_off', { what: 'the server has no reflection', why })]),
    ]
  }
  if (differs === 0 || config.descriptor !== undefined) {
    return [
      call,
      finding('messaging_definition', {
        what:
          differs === 0
            ? "the server's definition of the API is the one in this package"
            : 'the app brings a definition of its own',
      }),
    ]
  }
  return [call, definitionDiffers(config, differs)]
}

function toCallFinding(error: PpoppoError, { apiUrl }: MessagingConfig): Finding {
  const [why, fix] = splitAdvice(error.message)
  const isPath = error.code === 'messaging_misconfigured' && error.grpcCode === CODE.unimplemented
  const code = isPath ? 'messaging_path_wrong' : (CALL_CODES[error.code] ?? 'messaging_answer_unreadable')
  return finding(code, {
    what: isPath
      ? `${apiUrl} has no Messaging API under this path`
      : `${apiUrl} ${CALL_WHAT[code] ?? 'answers with an error'}`,
    why,
    fix,
  })
}

const CALL_WHAT: Readonly<Partial<Record<FindingCode, string>>> = {
  messaging_unreachable: 'cannot be reached',
  messaging_tls: 'and this machine cannot agree on TLS or HTTP/2',
  messaging_credentials_rejected: 'does not accept the token',
  messaging_forbidden: 'does not let this app send',
  messaging_not_approved: 'has not approved this app',
  messaging_limited: 'says that this app has reached its limits',
}

/** How many differences matter to the client. */
async function differences(
  config: MessagingConfig,
  timeoutMs: number,
  token: string,
): Promise<number | 'no reflection'> {
  try {
    const pulled = await pullDescriptor({ ...config, deadlineMs: timeoutMs }, { token: async () => token })
    return pulled.differences.filter(({ severity }) => severity !== 'none').length
  } catch (error) {
    if (isPpoppoError(error)) return 'no reflection'
    throw error
  }
}

function otherContract({ apiUrl }: MessagingConfig): Finding {
  return finding('messaging_other_contract', {
    what: `${apiUrl} has the Messaging API under other names`,
    why: 'Reflection works there, but does not list the methods that this package calls.',
    fix: pullAdvice(apiUrl),
  })
}

function definitionDiffers({ apiUrl }: MessagingConfig, count: number): Finding {
  return finding('messaging_definition_differs', {
    what: `the server's definition of the API differs from this package's in ${count} ${count === 1 ? 'place that matters' : 'places that matter'}`,
    why: 'Fields would be read and written with the wrong numbers.',
    fix: pullAdvice(apiUrl),
  })
}

function pullAdvice(apiUrl: string): string {
  return `Run "npx express-ppoppo proto pull ${apiUrl}", and set "descriptor" to the file it writes.`
}
