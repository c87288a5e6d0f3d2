import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { start } from '../../scripts/lib/processes.mjs'

const BENCH = fileURLToPath(new URL('..', import.meta.url))
const ANSWER_WITHIN_MS = 120_000
const END_WITHIN_MS = 15_000

/**
 * Starts a script as a child with IPC, and waits for its first message. It ends with this process.
 * @param {string} script path from `bench/`, or absolute
 * @param {readonly string[]} args
 * @param {string} [profile] file to write its CPU profile to; see `profiler.mjs`
 */
export async function startChild(script, args, profile) {
  const file = resolve(BENCH, script)
  const child = start(process.execPath, ['--expose-gc', file, ...args], {
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    env: {
      PATH: process.env['PATH'],
      NODE_ENV: 'production',
      NODE_NO_WARNINGS: '1',
      PPOPPO_ENVIRONMENT: 'local',
      ...(profile && { BENCH_PROFILE: profile }),
    },
  })
  let errors = ''
  child.stderr.on('data', (bytes) => {
    errors = `${errors}${bytes}`.slice(-4_000)
  })
  const next = () =>
    new Promise((resolve, reject) => {
      const timer = setTimeout(() => fail(`${script} did not answer within ${ANSWER_WITHIN_MS} ms`), ANSWER_WITHIN_MS)
      const done = () => {
        clearTimeout(timer)
        child.off('message', onMessage)
        child.off('exit', onExit)
      }
      const onMessage = (message) => {
        done()
        resolve(message)
      }
      const fail = (why) => {
        done()
        reject(new Error(`${why}\n${errors}`))
      }
      const onExit = (code) => fail(`${script} ${args[0]} ended with ${code}`)
      child.on('message', onMessage)
      child.on('exit', onExit)
    })
  const first = await next()
  return {
    first,
    errors: () => errors,
    /** Sends a message and resolves with the answer. */
    ask(message) {
      const answer = next()
      child.send(message)
      return answer
    },
    async end() {
      if (child.exitCode !== null || child.signalCode !== null) return
      // Not `close`: Node does not emit it once the parent has disconnected.
      const closed = new Promise((resolve) => child.once('exit', resolve))
      child.disconnect()
      const timer = setTimeout(() => child.kill('SIGKILL'), END_WITHIN_MS)
      await closed
      clearTimeout(timer)
    },
  }
}
