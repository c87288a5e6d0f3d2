import { createInterface } from 'node:readline'
import { exitCodeOf, start } from './processes.mjs'

const PRELOAD = new URL('./end-with-parent.mjs', import.meta.url).href
const POLL_MS = 100

/**
 * @typedef {object} Server
 * @property {string} name
 * @property {string} entry compiled JavaScript
 * @property {readonly string[]} [args]
 * @property {string} url where it answers
 * @property {Record<string, string | undefined>} [env]
 * @property {string} [hides] lines with this text are not shown
 */

/**
 * Starts a server and waits until it answers.
 * @param {Server} server
 * @returns {Promise<{ name: string, closed: Promise<number> }>} `closed` tells its exit code
 * @throws when it ends before it answers, or does not answer in time
 */
export async function startServer({ name, entry, args = [], url, env = process.env, hides }, withinMs = 60_000) {
  const child = start(process.execPath, ['--import', PRELOAD, entry, ...args], {
    env,
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  })
  for (const [stream, print] of /** @type {const} */ ([
    [child.stdout, console.log],
    [child.stderr, console.error],
  ])) {
    if (stream)
      createInterface({ input: stream }).on(
        'line',
        (line) => (hides !== undefined && line.includes(hides)) || print(`${name} | ${line}`),
      )
  }
  let code = /** @type {number | undefined} */ (undefined)
  const closed = exitCodeOf(child).then((exitCode) => (code = exitCode))
  const until = Date.now() + withinMs
  while (code === undefined && Date.now() < until) {
    if (await answers(url)) return { name, closed }
    await new Promise((resolve) => setTimeout(resolve, POLL_MS))
  }
  throw new Error(
    code === undefined ? `The ${name} did not answer at ${url}.` : `The ${name} ended at start (exit code ${code}).`,
  )
}

/** @param {string} url */
async function answers(url) {
  try {
    const response = await fetch(url, { redirect: 'manual', signal: AbortSignal.timeout(5_000) })
    await response.body?.cancel()
    return true
  } catch {
    return false
  }
}
