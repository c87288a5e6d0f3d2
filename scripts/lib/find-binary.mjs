import { accessSync, constants, statSync } from 'node:fs'
import { delimiter, isAbsolute, join } from 'node:path'

/** Debian and Ubuntu, then Google's own package, then what other distributions use. */
const CHROMIUM_NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable', 'chrome']
const CHROMIUM_APPS = [
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
  '/Applications/Microsoft Edge.app/Contents/MacOS/Microsoft Edge',
]
const FIREFOX_NAMES = ['firefox-esr', 'firefox', '/Applications/Firefox.app/Contents/MacOS/firefox']

/**
 * The first of `names` that can be run: an absolute path, or a name looked up on PATH.
 * @param {readonly string[]} names
 * @param {Readonly<Record<string, string | undefined>>} [env]
 * @returns {string | undefined}
 */
export function findBinary(names, env = process.env) {
  const folders = (env['PATH'] ?? '').split(delimiter).filter(Boolean)
  for (const name of names) {
    const candidates = isAbsolute(name) ? [name] : folders.map((folder) => join(folder, name))
    const found = candidates.find(isExecutable)
    if (found !== undefined) return found
  }
  return undefined
}

/**
 * A Redis server, or Valkey, which speaks the same. `REDIS_SERVER_BIN` names another one.
 * @param {Readonly<Record<string, string | undefined>>} [env]
 */
export function findRedisServer(env = process.env) {
  const named = env['REDIS_SERVER_BIN']
  return findBinary(named ? [named] : ['redis-server', 'valkey-server'], env)
}

/**
 * A Chromium or Chrome. `CHROMIUM_BIN` names another one.
 * @param {Readonly<Record<string, string | undefined>>} [env]
 */
export function findChromium(env = process.env) {
  const named = env['CHROMIUM_BIN']
  return findBinary(named ? [named] : [...CHROMIUM_NAMES, ...CHROMIUM_APPS], env)
}

/**
 * An nginx. `NGINX_BIN` names another one.
 * @param {Readonly<Record<string, string | undefined>>} [env]
 */
export function findNginx(env = process.env) {
  const named = env['NGINX_BIN']
  // Debian has it where only root looks.
  return findBinary(named ? [named] : ['nginx', '/usr/sbin/nginx', '/usr/local/sbin/nginx'], env)
}

/**
 * A Firefox. `FIREFOX_BIN` names another one.
 * @param {Readonly<Record<string, string | undefined>>} [env]
 */
export function findFirefox(env = process.env) {
  const named = env['FIREFOX_BIN']
  return findBinary(named ? [named] : FIREFOX_NAMES, env)
}

/** @param {string} path */
function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK)
    return statSync(path).isFile()
  } catch {
    return false
  }
}
