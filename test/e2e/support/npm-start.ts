import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { findFreePort } from '../../support/redis.js'

/** What `npm start` has started. */
export interface Started {
  readonly url: string
  readonly pas: string
  /** What the sandbox's control route does, e.g. `faults`; `''` sets its switches. */
  control(route: string, body: object): Promise<void>
  stop(): Promise<void>
}

/** Example app and sandbox as real processes on free ports, just as `npm start` has them. */
export async function npmStart(env: Readonly<Record<string, string>> = {}): Promise<Started> {
  const [port, pasPort] = [await findFreePort(), await findFreePort()]
  const { NODE_OPTIONS: _, REDIS_URL: __, PPOPPO_AUTH_URL: ___, ...rest } = process.env
  const child = spawn(process.execPath, ['scripts/start.mjs', '--pas-port', `${pasPort}`], {
    cwd: join(import.meta.dirname, '../../..'),
    env: { ...rest, EXAMPLE_DATABASE: ':memory:', ...env, PORT: `${port}` },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text
      child.emit('output')
    })
  }
  const closed = once(child, 'close')
  const isOver = closed.then(() => {
    throw new Error(`it ended before it was there:\n${output}`)
  })
  while (!output.includes('Open http')) await Promise.race([once(child, 'output'), isOver])
  isOver.catch(() => undefined)
  const pas = `http://localhost:${pasPort}`
  return {
    url: `http://localhost:${port}`,
    pas,
    async control(route, body) {
      const headers = { 'Content-Type': 'application/json' }
      const answer = await fetch(`${pas}/__sandbox${route && '/'}${route}`, {
        method: 'POST',
        headers,
        body: JSON.stringify(body),
      })
      if (!answer.ok) throw new Error(`the sandbox answers ${answer.status}: ${await answer.text()}`)
    },
    async stop() {
      child.kill('SIGTERM')
      await closed
    },
  }
}
