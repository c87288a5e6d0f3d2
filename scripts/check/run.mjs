import { join } from 'node:path'
import { ROOT } from '../lib/build.mjs'
import { start } from '../lib/processes.mjs'

/**
 * @typedef {object} Outcome
 * @property {boolean} ok
 * @property {string} output what to show when it is not
 */

/**
 * Runs a command and keeps what it says.
 * @param {string} command
 * @param {readonly string[]} args
 * @param {import('node:child_process').SpawnOptions} [options]
 * @returns {Promise<Outcome & { stdout: string }>}
 */
export function run(command, args, options = {}) {
  const child = start(command, args, {
    cwd: ROOT,
    env: { ...process.env, NO_COLOR: '1' },
    ...options,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let stdout = ''
  let output = ''
  child.stdout?.setEncoding('utf8').on('data', (text) => {
    stdout += text
    output += text
  })
  child.stderr?.setEncoding('utf8').on('data', (text) => {
    output += text
  })
  return new Promise((resolve) => {
    child.once('error', (error) => resolve({ ok: false, output: error.message, stdout }))
    child.once('close', (code) => resolve({ ok: code === 0, output, stdout }))
  })
}

/**
 * Runs a program of a development dependency.
 * @param {string} name
 * @param {readonly string[]} args
 * @param {import('node:child_process').SpawnOptions} [options]
 */
export function runBin(name, args, options) {
  return run(join(ROOT, 'node_modules/.bin', name), args, options)
}

/**
 * @param {() => Promise<Outcome> | Outcome} step
 * @returns {Promise<Outcome>}
 */
export async function capture(step) {
  try {
    return await step()
  } catch (error) {
    return { ok: false, output: error instanceof Error ? error.message : String(error) }
  }
}

/**
 * @param {readonly string[]} faults
 * @returns {Outcome}
 */
export function outcomeOf(faults) {
  return { ok: faults.length === 0, output: faults.join('\n') }
}
