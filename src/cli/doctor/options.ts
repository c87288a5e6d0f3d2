import type { PpoppoOptions } from '../../config/options.js'
import { parseArguments, parseSeconds } from '../usage.js'

const MAX_SECONDS = 60

const OPTIONS = {
  json: { type: 'boolean', default: false },
  production: { type: 'boolean', default: false },
  'env-file': { type: 'string' },
  'mount-path': { type: 'string' },
  'key-prefix': { type: 'string' },
  'cookie-name': { type: 'string' },
  'app-session': { type: 'boolean', default: false },
  timeout: { type: 'string', default: '5' },
  help: { type: 'boolean', short: 'h' },
} as const

/** The arguments of `doctor`. */
export interface DoctorArgs {
  readonly json: boolean
  /** Options that the app sets in code. */
  readonly options: PpoppoOptions
  readonly isProduction: boolean
  readonly timeoutMs: number
  readonly envFile?: string
}

/** Parses the arguments. @returns `undefined` for wrong usage */
export function parseDoctor(args: readonly string[]): DoctorArgs | 'help' | undefined {
  const given = parseArguments(args, OPTIONS)
  if (given === undefined || given.positionals.length > 0) return undefined
  const { help, json, production, timeout, ...rest } = given.values
  if (help === true) return 'help'
  const timeoutMs = parseSeconds(timeout, MAX_SECONDS)
  const { 'env-file': envFile, 'cookie-name': cookieName } = rest
  const isContradiction = cookieName !== undefined && rest['app-session']
  if (timeoutMs === undefined || envFile === '' || isContradiction) return undefined
  return {
    json,
    isProduction: production,
    timeoutMs,
    ...(envFile === undefined ? {} : { envFile }),
    options: {
      ...(rest['mount-path'] === undefined ? {} : { mountPath: rest['mount-path'] }),
      ...(rest['key-prefix'] === undefined ? {} : { keyPrefix: rest['key-prefix'] }),
      ...(cookieName === undefined ? {} : { session: { cookieName } }),
      ...(rest['app-session'] ? { session: false as const } : {}),
    },
  }
}
