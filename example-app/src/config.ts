/*
 * The only file of this app that reads the environment.
 *
 * The library could read its own options: `ppoppo()` without arguments knows PPOPPO_CLIENT_ID, PPOPPO_BASE_URL,
 * PPOPPO_VAULT_KEYS, REDIS_URL and the rest. The defaults below are there so that this app runs on a laptop that has
 * none of them set. They are gone as soon as NODE_ENV=production: a deployment that forgot a variable should say so
 * at start, and not send people to http://localhost:3100.
 */
import { existsSync } from 'node:fs'
import { loadEnvFile } from 'node:process'
import { fileURLToPath } from 'node:url'
import { type MessagingOptions, type PpoppoOptions, parsePpnum } from 'express-ppoppo'

/** A file of this package by its path from the package's folder: works from src/, from dist/ and from any cwd. */
export const packageFile = (path: string): string => fileURLToPath(new URL(`../${path}`, import.meta.url))

export interface AppConfig {
  readonly port: number
  /** A path, or `:memory:`. */
  readonly databaseFile: string
  /** Express's `trust proxy`: how many of your proxies are in front of this app. */
  readonly trustedProxies: number
  /** Options that `ppoppo()` does not read from the environment. */
  readonly ppoppo: PpoppoOptions
  /** The same for `createMessaging()`, which worker.ts uses: it has no sign-in. */
  readonly messaging: MessagingOptions
  /** `undefined` without REDIS_URL: campaigns live in Redis. */
  readonly campaigns: CampaignsConfig | undefined
}

/** What `createCampaigns()` does not read from the environment, and who may use the page. */
export interface CampaignsConfig {
  /** Calls a minute that Ppoppo allows this app. */
  readonly perMinute: number
  /** Their Ppoppo numbers. `'everybody'` who is signed in, in development only. */
  readonly operators: readonly string[] | 'everybody'
}

type Env = Readonly<Record<string, string | undefined>>

/** Reads `.env` beside package.json where there is one. Variables that are set already win. */
export function loadDotEnv(file: string = packageFile('.env')): void {
  if (existsSync(file)) loadEnvFile(file)
}

/** @throws Error with one line that names the variable. */
export function readConfig(env: Env): AppConfig {
  const port = wholeNumber(env, 'PORT', 3000, 65_535)
  const ppoppo = env['NODE_ENV'] === 'production' ? {} : developmentDefaults(env, port)
  return {
    port,
    databaseFile: env['EXAMPLE_DATABASE'] || packageFile('data/example.db'),
    trustedProxies: wholeNumber(env, 'TRUST_PROXY', 0, 10),
    ppoppo,
    messaging: { ...ppoppo.messaging, ...(ppoppo.environment && { environment: ppoppo.environment }) },
    campaigns: env['REDIS_URL'] ? campaignsConfig(env) : undefined,
  }
}

function campaignsConfig(env: Env): CampaignsConfig {
  const named = (env['CAMPAIGN_OPERATORS'] ?? '').split(',').filter((entry) => entry.trim() !== '')
  return {
    perMinute: wholeNumber(env, 'CAMPAIGNS_PER_MINUTE', 60, 1_000_000) || 60,
    operators: named.length === 0 && env['NODE_ENV'] !== 'production' ? 'everybody' : named.map(operatorOf),
  }
}

function operatorOf(text: string): string {
  try {
    return parsePpnum(text)
  } catch {
    throw new Error('CAMPAIGN_OPERATORS must be Ppoppo numbers, separated by commas')
  }
}

/** An option given to `ppoppo()` wins over its variable, so each default looks at the variable first. */
function developmentDefaults(env: Env, port: number): PpoppoOptions {
  return {
    ...(env['PPOPPO_CLIENT_ID'] ? {} : { clientId: 'example_login_client' }),
    ...(env['PPOPPO_BASE_URL'] ? {} : { baseUrl: `http://localhost:${port}` }),
    // 'local' is the sandbox on this machine: http://localhost:3100.
    ...(env['PPOPPO_ENVIRONMENT'] ? {} : { environment: 'local' }),
    // Ask for what you use. This app shows an e-mail address; without that, 'openid profile' is enough.
    ...(env['PPOPPO_SCOPE'] ? {} : { scope: 'openid profile email' }),
    ...messagingDefaults(env),
  }
}

/** Messages go to the sandbox, too, unless anything says that this is about another Ppoppo. */
function messagingDefaults(env: Env): Pick<PpoppoOptions, 'messaging'> {
  const { PPOPPO_ENVIRONMENT: environment = '', PPOPPO_AUTH_URL: authUrl } = env
  if ((environment !== '' && environment !== 'local') || (authUrl && !isThisMachine(authUrl))) return {}
  const messaging = {
    ...(env['PAS_PCS_CLIENT_ID'] || env['PAS_PCS_CLIENT_SECRET'] ? {} : SANDBOX_CLIENT),
    // A sandbox on another port gives out its tokens there.
    ...(authUrl && !env['PAS_TOKEN_URL'] ? { tokenUrl: new URL('/oauth/token', authUrl).href } : {}),
  }
  return Object.keys(messaging).length > 0 ? { messaging } : {}
}

/** Not a secret: every sandbox has it. */
const SANDBOX_CLIENT = { clientId: 'sandbox_external_client', clientSecret: 'sandbox_external_secret' }

function isThisMachine(url: string): boolean {
  return URL.canParse(url) && ['localhost', '127.0.0.1', '[::1]'].includes(new URL(url).hostname)
}

function wholeNumber(env: Env, name: string, fallback: number, max: number): number {
  const text = env[name]
  if (text === undefined || text === '') return fallback
  const value = Number(text)
  if (/^\d+$/.test(text) && value <= max) return value
  throw new Error(`${name} must be a whole number from 0 to ${max}`)
}
