import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { findFreePort } from '../../support/redis.js'

/** One instance of the example app. */
export interface ExampleProcess {
  readonly port: number
  readonly url: string
  /** What it wrote to standard error. */
  readonly errors: () => string
  /** SIGTERM. @returns how long it took to exit by itself, and with what */
  stop(): Promise<{ readonly code: number | null; readonly tookMs: number }>
  /** SIGKILL. */
  kill(): Promise<void>
}

/** Starts the compiled `server.js` and waits until it listens. */
export async function startExampleProcess(
  serverPath: string,
  env: Readonly<Record<string, string>>,
): Promise<ExampleProcess> {
  const port = await findFreePort()
  const { NODE_OPTIONS: _, REDIS_URL: __, ...rest } = process.env
  const child = spawn(process.execPath, [serverPath], {
    env: { ...rest, ...env, PORT: `${port}` },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let [output, errors] = ['', '']
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text
    child.emit('said')
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    errors += text
  })
  const closed = once(child, 'close')
  const isOver = closed.then(() => {
    throw new Error(`it ended before it listened:\n${output}${errors}`)
  })
  while (!output.includes('example-app: http')) await Promise.race([once(child, 'said'), isOver])
  isOver.catch(() => undefined)
  return {
    port,
    url: `http://localhost:${port}`,
    errors: () => errors,
    async stop() {
      const beganAt = performance.now()
      child.kill('SIGTERM')
      await closed
      return { code: child.exitCode, tookMs: performance.now() - beganAt }
    },
    async kill() {
      child.kill('SIGKILL')
      await closed
    },
  }
}
