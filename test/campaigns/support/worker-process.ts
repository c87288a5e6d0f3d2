import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { libraryForTests } from '../../support/built-library.js'

/** A worker in a process of its own. */
export interface WorkerProcess {
  /** What it wrote to standard error. */
  errors(): string
  /** SIGKILL. */
  kill(): Promise<void>
}

const SCRIPT = fileURLToPath(new URL('worker-script.mjs', import.meta.url))

/** Starts one, and waits until it works. @param options as `worker-script.mjs` reads them */
export async function startWorkerProcess(options: object): Promise<WorkerProcess> {
  const args = ['--unhandled-rejections=strict', SCRIPT, await libraryForTests(), JSON.stringify(options)]
  const child = spawn(process.execPath, args, {
    stdio: ['pipe', 'pipe', 'pipe'],
    env: { ...process.env, NODE_OPTIONS: '', REDIS_URL: '' },
  })
  let errors = ''
  child.stderr.on('data', (chunk: Buffer) => {
    errors += chunk.toString()
  })
  const ended = once(child, 'exit').then(() => {
    throw new Error(`a worker ended at its start: ${errors}`)
  })
  await Promise.race([once(child.stdout, 'data'), ended])
  ended.catch(() => {})
  return {
    errors: () => errors,
    async kill() {
      if (child.exitCode !== null || child.signalCode !== null) return
      child.kill('SIGKILL')
      await once(child, 'exit')
    },
  }
}
