import { PpoppoError } from '../errors.js'
import { unknownKeys } from '../lib/known-keys.js'
import type { MessagingOptions } from './messaging-options.js'
import type { PpoppoOptions } from './options.js'

/** Option -> environment variable. An option gets one by a line here; those without one are set in code only. */
export const VARIABLES: Readonly<Partial<Record<keyof PpoppoOptions, string>>> = {
  clientId: 'PPOPPO_CLIENT_ID',
  baseUrl: 'PPOPPO_BASE_URL',
  basePath: 'PPOPPO_BASE_PATH',
  environment: 'PPOPPO_ENVIRONMENT',
  issuer: 'PPOPPO_AUTH_URL',
  scope: 'PPOPPO_SCOPE',
  redis: 'REDIS_URL',
  sessionSecret: 'PPOPPO_SESSION_SECRET',
  vaultKeys: 'PPOPPO_VAULT_KEYS',
  rateLimit: 'PPOPPO_RATE_LIMIT',
}

const ENV_FILE_HINT = 'A .env file is not read automatically: start Node with --env-file=.env'

/** The same for the options of the Messaging client. */
export const MESSAGING_VARIABLES: Readonly<Partial<Record<keyof MessagingOptions, string>>> = {
  apiUrl: 'PCS_API_URL',
  tokenUrl: 'PAS_TOKEN_URL',
  clientId: 'PAS_PCS_CLIENT_ID',
  clientSecret: 'PAS_PCS_CLIENT_SECRET',
  environment: 'PPOPPO_ENVIRONMENT',
  redis: 'REDIS_URL',
}

/** The same for the options of campaigns. */
export const CAMPAIGNS_VARIABLES: Readonly<Record<'redis' | 'vaultKeys', string>> = {
  redis: 'REDIS_URL',
  vaultKeys: 'PPOPPO_VAULT_KEYS',
}

/** One fault: the option's path, e.g. `messaging.apiUrl`, and what is wrong with it. */
export interface FaultEntry {
  readonly option: string
  /** The option's name with that of its variable, and what is wrong: one line without a value. */
  readonly line: string
  /** Whether a required option is not set. */
  readonly isMissing: boolean
}

/** Collects faults, so that all are reported at once. A fault names options and variables, never a value. */
export class Faults {
  readonly #entries: FaultEntry[] = []
  readonly #variables: Readonly<Record<string, string>>
  readonly #subject: string
  readonly #names: Readonly<Record<string, string>>

  /**
   * @param variables environment variables by option
   * @param subject what is not configured yet: the start of the message
   * @param names what a fault calls an option, instead of its name and variable
   */
  constructor(
    variables: Readonly<Record<string, string>> = VARIABLES,
    subject = 'express-ppoppo',
    names: Readonly<Record<string, string>> = {},
  ) {
    this.#variables = variables
    this.#names = names
    this.#subject = subject
  }

  /** Adds a fault. `option` may be a path, e.g. `session.idleMs`; the name of its variable is added if it has one. */
  add(option: string, problem: string): undefined {
    this.#add(option, problem, false)
  }

  /** As {@link add}, for a required option that is not set. */
  addMissing(option: string, problem: string): undefined {
    this.#add(option, problem, true)
  }

  #add(option: string, problem: string, isMissing: boolean): void {
    const name = Object.hasOwn(this.#names, option) ? this.#names[option] : label(option, this.#variables)
    this.#entries.push({ option, line: `${name} ${problem}`, isMissing })
  }

  /** All faults so far. */
  get entries(): readonly FaultEntry[] {
    return this.#entries
  }

  /** All faults so far, one line each: the option's name and what is wrong. */
  get lines(): readonly string[] {
    return this.#entries.map(({ line }) => line)
  }

  /** Adds the faults of a part with options and variables of its own. */
  include(part: string, faults: Faults): void {
    const entries = faults.#entries.map(({ option, line, isMissing }) => {
      return { option: `${part}.${option}`, line: `${part}: ${line}`, isMissing }
    })
    this.#entries.push(...entries)
  }

  /** @throws PpoppoError `config_invalid` if there are faults, one per line */
  throwIfAny(): void {
    if (this.#entries.length === 0) return
    const lines = [`${this.#subject} is not configured yet:`, ...this.lines.map((line) => `- ${line}`)]
    if (this.#entries.some(({ isMissing }) => isMissing)) lines.push(ENV_FILE_HINT)
    throw new PpoppoError('config_invalid', lines.join('\n'))
  }
}

/** `"issuer" (PPOPPO_AUTH_URL)`, or `"session.idleMs"`. */
export function label(option: string, variables: Readonly<Record<string, string>> = VARIABLES): string {
  const variable = Object.hasOwn(variables, option) ? variables[option] : undefined
  return variable === undefined ? `"${option}"` : `"${option}" (${variable})`
}

/** Adds a fault for each key of `given` that is not in `known`, with the name that was probably meant. */
export function checkKeys(given: object, known: readonly string[], path: string, faults: Faults): void {
  for (const { name, hint } of unknownKeys(given, known, path)) {
    faults.add(`${path}${name}`, `is not an option; ${hint}`)
  }
}

/** Reads the options and their environment variables; nothing is checked yet. */
export interface Source<Name extends string> {
  /** The option, else the text of its variable. An empty variable counts as not set. */
  value(name: Name): unknown
  /** As `value`; a variable is split at commas. */
  list(name: Name): unknown
}

/** Where a {@link Source} reads from. */
export interface SourceParts<Name extends string> {
  readonly options: { readonly [name in Name]?: unknown }
  readonly variables: { readonly [name in Name]?: string }
  readonly env: NodeJS.ProcessEnv
}

/** Creates a source. An option wins over its variable. */
export function createSource<Name extends string>({ options, variables, env }: SourceParts<Name>): Source<Name> {
  const find = <T>(name: Name, read: (text: string) => T): unknown => {
    const given = options[name]
    const variable = variables[name]
    if (variable === undefined) return given
    const text = env[variable]?.trim() ?? ''
    return given ?? (text === '' ? undefined : read(text))
  }
  return {
    value: (name) => find(name, (text) => text),
    list: (name) => find(name, (text) => text.split(',').map((entry) => entry.trim())),
  }
}
