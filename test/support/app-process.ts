import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { PpoppoEvent } from '../../src/audit-events.js'
import { libraryForTests } from './built-library.js'

const START_LIMIT_MS = 60_000

/** A running app in a process of its own. */
export interface AppProcess {
  readonly url: string
  readonly events: PpoppoEvent[]
  /** What it wrote to standard error: warnings, and what ended it. */
  readonly errors: () => string
  /** Lets it close, and waits until it exits by itself. @returns exit code, and how long that took. */
  end(): Promise<{ readonly code: number | null; readonly tookMs: number }>
  /** SIGKILL. */
  kill(): Promise<void>
}

/** Starts one. An unhandled rejection ends it with an exit code other than 0. `script` is a file of this folder. */
export async function startAppProcess(options: object, script = 'app-script.mjs'): Promise<AppProcess> {
  const library = join(await libraryForTests(), 'index.js')
  const file = fileURLToPath(new URL(script, import.meta.url))
  const args = ['--unhandled-rejections=strict', '--trace-warnings', file, library, JSON.stringify(options)]
  const child = spawn(process.execPath, args, {
    stdio: ['pipe', 'pipe', 'pipe'],
    env: { ...process.env, NODE_OPTIONS: '', REDIS_URL: '' },
  })
  const events: PpoppoEvent[] = []
  let errors = ''
  child.stderr.on('data', (chunk: Buffer) => {
    errors += chunk.toString()
  })
  const url = await firstLine(
    child,
    (line) => events.push(JSON.parse(line)),
    () => errors,
  )
  return {
    url,
    events,
    errors: () => errors,
    async end() {
      const beganAt = performance.now()
      if (child.exitCode === null && child.signalCode === null) {
        child.stdin.end()
        const timer = setTimeout(() => child.kill('SIGKILL'), START_LIMIT_MS)
        await once(child, 'close')
        clearTimeout(timer)
      }
      return { code: child.exitCode, tookMs: performance.now() - beganAt }
    },
    async kill() {
      if (child.exitCode !== null || child.signalCode !== null) return
      child.kill('SIGKILL')
      await once(child, 'close')
    },
  }
}

function firstLine(child: ChildProcess, onLine: (line: string) => void, errors: () => string): Promise<string> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      child.kill('SIGKILL')
      reject(new Error(`the app did not start in time: ${errors()}`))
    }, START_LIMIT_MS)
    let isFirst = true
    let rest = ''
    child.once('exit', () => {
      clearTimeout(timer)
      reject(new Error(`the app ended at its start: ${errors()}`))
    })
    child.stdout?.on('data', (chunk: Buffer) => {
      const lines = (rest + chunk.toString()).split('\n')
      rest = lines.pop() ?? ''
      for (const line of lines) {
        if (!isFirst) onLine(line)
        else {
          isFirst = false
          clearTimeout(timer)
          resolve(line)
        }
      }
    })
  })
}
