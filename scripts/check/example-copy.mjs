import { cpSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { ROOT } from '../lib/build.mjs'
import { freePort } from '../lib/ports.mjs'
import { start, whenEnding } from '../lib/processes.mjs'
import { listFiles } from './repository.mjs'
import { run } from './run.mjs'

const FOLDER = 'example-app/'
const ANSWERS_WITHIN_MS = 30_000

/**
 * Copies the example app as its README says, installs the packed library there, builds and starts it.
 * @param {import('./pack.mjs').Packed} packed
 * @returns {Promise<import('./run.mjs').Outcome>}
 */
export async function checkExampleCopy({ file }) {
  const cwd = mkdtempSync(join(tmpdir(), 'ppoppo-example-'))
  whenEnding(() => rmSync(cwd, { recursive: true, force: true }))
  copyExample(cwd)
  const flags = ['--prefer-offline', '--no-audit', '--no-fund', '--ignore-scripts', '--loglevel=error']
  for (const args of [
    ['install', ...flags, file],
    ['run', 'build'],
  ]) {
    const { ok, output } = await run('npm', args, { cwd })
    if (!ok) return { ok, output: `npm ${args.join(' ')}\n${output}`.replaceAll(cwd, '.') }
  }
  return startsAndAnswers(cwd)
}

/** @param {string} target */
function copyExample(target) {
  for (const name of listFiles()) {
    if (!name.startsWith(FOLDER) || name.startsWith(`${FOLDER}test/`)) continue
    const copy = join(target, name.slice(FOLDER.length))
    mkdirSync(dirname(copy), { recursive: true })
    cpSync(join(ROOT, name), copy)
  }
}

/**
 * `npm start` there, without a sandbox: the front page needs none.
 * @param {string} cwd
 * @returns {Promise<import('./run.mjs').Outcome>}
 */
async function startsAndAnswers(cwd) {
  const port = await freePort()
  const env = { ...process.env, PORT: `${port}`, EXAMPLE_DATABASE: ':memory:', REDIS_URL: '', NODE_ENV: '' }
  const app = start('npm', ['start'], { cwd, env, group: true, stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  for (const stream of [app.stdout, app.stderr]) stream?.setEncoding('utf8').on('data', (text) => (output += text))
  const ended = new Promise((resolve) => app.once('close', resolve))
  try {
    const deadline = Date.now() + ANSWERS_WITHIN_MS
    while (app.exitCode === null && Date.now() < deadline) {
      const answer = await fetch(`http://localhost:${port}/`).catch(() => undefined)
      if (answer) return { ok: answer.status === 200, output: `GET / answered ${answer.status}\n${output}` }
      await new Promise((resolve) => setTimeout(resolve, 100))
    }
    return { ok: false, output: `npm start answered nothing\n${output}` }
  } finally {
    if (app.pid !== undefined && app.exitCode === null) process.kill(-app.pid, 'SIGTERM')
    await ended
  }
}
