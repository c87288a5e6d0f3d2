import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { findFreePort } from '../../support/redis.js'

/** One process of the app. */
export interface AppProcess {
  readonly port: number
  /** Types of the events it raised. */
  readonly events: string[]
  /** Resolves with the next thing it says. */
  says(text: string): Promise<void>
  send(text: string): void
  /** Ends it at once, as a crash does. */
  kill(): Promise<void>
}

/** Starts the app of `app-process.mjs` on a free port, and waits until it listens. */
export async function startAppProcess(env: Readonly<Record<string, string>>): Promise<AppProcess> {
  const port = await findFreePort()
  const { NODE_OPTIONS: _, ...rest } = process.env
  const child = fork(join(import.meta.dirname, 'app-process.mjs'), {
    env: { ...rest, ...env, PORT: `${port}` },
    execArgv: [],
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  })
  const said: string[] = []
  const events: string[] = []
  child.on('message', (message) => {
    if (typeof message === 'string') said.push(message)
    else events.push(String(Reflect.get(Object(message), 'type')))
    child.emit('said')
  })
  const app: AppProcess = {
    port,
    events,
    says: (text) => untilSaid(child, said, text),
    send: (text) => void child.send(text),
    async kill() {
      if (child.exitCode !== null || child.signalCode !== null) return
      const ended = once(child, 'exit')
      child.kill('SIGKILL')
      await ended
    },
  }
  await app.says('listening')
  return app
}

async function untilSaid(child: ChildProcess, said: readonly string[], text: string): Promise<void> {
  const ended = once(child, 'exit').then(([code]) => {
    throw new Error(`the app ended with ${code} before it said "${text}"`)
  })
  ended.catch(() => undefined)
  while (!said.includes(text)) await Promise.race([once(child, 'said'), ended])
}
