import type { FaultEntry } from '../config/environment-variables.js'
import { parseUrl } from '../config/urls.js'
import type { FindingCode } from './catalogue.js'
import { finding } from './finding.js'
import type { DoctorSetup } from './setup.js'
import type { Finding } from './types.js'

/** What to do about an option that is missing or invalid. */
interface Advice {
  readonly missing?: FindingCode
  readonly invalid: FindingCode
  readonly fix: string
}

const KEYGEN = 'Run "npx express-ppoppo keygen" and put what it prints into the environment.'
const MESSAGING_CLIENT =
  'Set both PAS_PCS_CLIENT_ID and PAS_PCS_CLIENT_SECRET, exactly as Ppoppo issued them; or neither, if the app sends no messages.'

const ADVICE: Readonly<Record<string, Advice>> = {
  clientId: {
    missing: 'client_id_missing',
    invalid: 'client_id_invalid',
    fix: 'Set PPOPPO_CLIENT_ID to the id of your login client. Against the sandbox any id that ends in "_login_client" will do. If the app sets it in code, ask the app: await auth.diagnose().',
  },
  baseUrl: {
    missing: 'base_url_missing',
    invalid: 'base_url_invalid',
    fix: 'Set PPOPPO_BASE_URL to what visitors see in the address bar: scheme, host and port, such as https://app.example. If the app sets it in code, ask the app: await auth.diagnose().',
  },
  environment: {
    invalid: 'environment_unknown',
    fix: 'Set PPOPPO_ENVIRONMENT to production, sandbox or local, or remove it (production).',
  },
  issuer: {
    invalid: 'issuer_invalid',
    fix: 'Remove PPOPPO_AUTH_URL (PPOPPO_ENVIRONMENT then decides), or set it to the URL of PAS, such as https://accounts.ppoppo.com.',
  },
  scope: {
    invalid: 'scope_invalid',
    fix: 'Set PPOPPO_SCOPE to names separated by spaces, such as "openid profile".',
  },
  'session.cookieName': {
    invalid: 'cookie_name_invalid',
    fix: 'Remove "session.cookieName", or let it begin with "__Host-" on https, and without a prefix on http.',
  },
  redis: {
    missing: 'redis_missing',
    invalid: 'redis_url_invalid',
    fix: 'Set REDIS_URL, such as redis://user:password@host:6379/0, or rediss:// for TLS.',
  },
  sessionSecret: {
    missing: 'session_secret_missing',
    invalid: 'session_secret_invalid',
    fix: `${KEYGEN} With "session: false" none is needed: then run this with --app-session.`,
  },
  vaultKeys: { missing: 'vault_keys_missing', invalid: 'vault_keys_invalid', fix: KEYGEN },
  rateLimit: { invalid: 'rate_limit_invalid', fix: 'Remove PPOPPO_RATE_LIMIT, or set it to "off".' },
  'messaging.clientId': { invalid: 'messaging_client_invalid', fix: MESSAGING_CLIENT },
  'messaging.clientSecret': { invalid: 'messaging_client_invalid', fix: MESSAGING_CLIENT },
  'messaging.apiUrl': {
    invalid: 'messaging_api_url_invalid',
    fix: 'Remove PCS_API_URL (PPOPPO_ENVIRONMENT then decides), or set it to a URL such as https://api.ppoppo.com/ext.',
  },
  'messaging.tokenUrl': {
    invalid: 'messaging_token_url_invalid',
    fix: 'Remove PAS_TOKEN_URL (PPOPPO_ENVIRONMENT then decides), or set it to the full endpoint, such as https://accounts.ppoppo.com/oauth/token.',
  },
}

/** The findings for the faults of a configuration. */
export function toConfigFindings(setup: DoctorSetup): readonly Finding[] {
  // The environment is read twice, for sign-in and for messaging.
  const own = setup.faults.filter(({ option }) => option !== 'messaging.environment')
  return own.map((fault) => toFinding(fault, setup))
}

/** The codes of the faults of these options, and of what belongs to them. */
export function causesIn(setup: DoctorSetup, options: readonly string[]): readonly FindingCode[] {
  const isMeant = ({ option }: FaultEntry): boolean =>
    options.some((name) => option === name || option.startsWith(`${name}.`))
  return setup.faults.filter(isMeant).map((fault) => toFinding(fault, setup).code)
}

function toFinding(fault: FaultEntry, setup: DoctorSetup): Finding {
  const { option, line, isMissing } = fault
  const isIncomplete = /^messaging[.]client(Id|Secret)$/.test(option) && setup.config.messaging.missing.length === 1
  if (isIncomplete) return finding('messaging_client_incomplete', { what: line, fix: MESSAGING_CLIENT })
  const advice = Object.hasOwn(ADVICE, option) ? ADVICE[option] : undefined
  if (advice === undefined) return finding('option_invalid', { what: line, fix: 'Change the option as described.' })
  if (isMissing) return finding(advice.missing ?? advice.invalid, { what: line, fix: advice.fix })
  return (option === 'baseUrl' && judgeBaseUrl(line, setup)) || finding(advice.invalid, { what: line, fix: advice.fix })
}

/** The two usual mistakes get more precise advice. */
function judgeBaseUrl(line: string, { env }: DoctorSetup): Finding | undefined {
  const url = parseUrl(env['PPOPPO_BASE_URL']?.trim())
  if (url === undefined) return undefined
  if (url.pathname !== '/') {
    const fix = `Set PPOPPO_BASE_URL to ${url.origin}. If the app is under that path, also set PPOPPO_BASE_PATH to ${url.pathname.replace(/\/$/, '')}.`
    return finding('base_url_path', { what: line, fix })
  }
  const fix = `Set PPOPPO_BASE_URL to https://${url.host}; a proxy in front of the app can terminate TLS.`
  return url.protocol === 'http:' ? finding('base_url_http', { what: line, fix }) : undefined
}
