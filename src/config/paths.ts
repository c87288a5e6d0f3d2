import { isUnderPath } from '../lib/request-target.js'
import type { Faults } from './environment-variables.js'
import type { Config } from './options.js'

/** Paths of the app and of our routes, as a visitor's browser sees them. */
export type PublicPaths = Pick<Config, 'mountPath' | 'basePath' | 'strippedPrefix'>

/** The three paths as configured, not yet checked. */
export interface GivenPaths {
  readonly mountPath: unknown
  readonly basePath: unknown
  readonly strippedPrefix: unknown
}

const PROBLEM =
  'one leading slash, no query, and only letters, digits and ._~-, since it is a route, a cookie path and part of a redirect URI'

/**
 * Checks the paths together. If one of `basePath` and `mountPath` is not set, it follows from the other. A prefix that a
 * proxy strips must be part of the public path.
 */
export function parsePublicPaths(given: GivenPaths, faults: Faults): PublicPaths {
  const base = given.basePath === undefined ? undefined : parsePath(given.basePath, 'basePath', '/shop', faults)
  const mount = parsePath(given.mountPath ?? `${base ?? ''}/auth`, 'mountPath', '/auth', faults) ?? '/auth'
  if (mount === '') faults.add('mountPath', 'must not be "/": the routes need a path of their own, such as "/auth"')
  const basePath = base ?? parentOf(mount)
  if (base !== undefined && mount !== '' && !isUnderPath(mount, base)) {
    faults.add('mountPath', 'must be under "basePath": it is the full public path of the routes, such as "/shop/auth"')
  }
  return { mountPath: mount, basePath, strippedPrefix: parseStripped(given.strippedPrefix, base, basePath, faults) }
}

/** Default: only an app that sets `basePath` may be behind a proxy that strips it. */
function parseStripped(
  value: unknown,
  given: string | undefined,
  basePath: string,
  faults: Faults,
): Config['strippedPrefix'] {
  if (value === undefined) return given === undefined || given === '' ? '' : 'detect'
  if (value === '') return ''
  const prefix = parsePath(value, 'strippedPrefix', '/shop', faults) ?? ''
  if (!isUnderPath(basePath, prefix)) faults.add('strippedPrefix', 'must be "basePath" or a leading part of it')
  return prefix
}

/** `/shop`, without a trailing slash; `''` for `/`. */
function parsePath(value: unknown, option: string, example: string, faults: Faults): string | undefined {
  if (value === '/') return ''
  const path = typeof value === 'string' ? value.replace(/\/$/, '') : ''
  const segments = path.split('/').slice(1)
  const isPlain = segments.length > 0 && segments.every((part) => /^[\w.~-]+$/.test(part) && !/^\.+$/.test(part))
  if (path.startsWith('/') && isPlain) return path
  return faults.add(option, `must be a path such as "${example}": ${PROBLEM}`)
}

function parentOf(path: string): string {
  return path.slice(0, path.lastIndexOf('/'))
}
