import { randomBytes } from 'node:crypto'
import { resolveConfig } from '../../src/config/config.js'
import type { Config, PpoppoOptions } from '../../src/config/options.js'
import { isPpoppoError } from '../../src/errors.js'

/** The least that resolves in development. */
export const DEV = { clientId: 'acme_login_client', baseUrl: 'http://localhost:3000' } as const

export const SECRET: string = randomBytes(32).toString('base64url')
export const KEY: string = `k1:${randomBytes(32).toString('base64')}`

/** The least that resolves in production. */
export const PRODUCTION = {
  clientId: 'acme_login_client',
  baseUrl: 'https://app.example',
  redis: 'redis://localhost:6379',
  sessionSecret: SECRET,
  vaultKeys: KEY,
} as const

/** What production needs besides a client and an address. */
export function productionRest(): object {
  const { clientId: _c, baseUrl: _b, ...rest } = PRODUCTION
  return rest
}

/** `options` as a program without types may pass them. */
export function resolve(options: Record<string, unknown>, env: Record<string, string> = {}): Config {
  return resolveConfig(options as PpoppoOptions, env)
}

/** The faults, one a line; none where it resolves. */
export function faultsOf(options: unknown, env: Record<string, string> = {}): string[] {
  try {
    resolveConfig(options as PpoppoOptions, env)
    return []
  } catch (error) {
    if (!isPpoppoError(error, 'config_invalid')) throw error
    return error.message.split('\n').flatMap((line) => (line.startsWith('- ') ? [line.slice(2)] : []))
  }
}
