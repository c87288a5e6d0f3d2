/* The worker as a child process, in a folder of its own, with a sandbox of its own. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach } from '@jest/globals'
import { type Sandbox, startSandbox } from 'ppoppo-sandbox'
import { type BuiltExample, buildExample } from './worker-build.js'

export const TEMPLATE = 'tpl_sandbox_welcome'
export const numbersFrom = (first: number, count: number) =>
  Array.from({ length: count }, (_, i) => String(12_310_000_000 + first + i))

export let sandbox: Sandbox
export let folder: string
let worker: BuiltExample
/** To be called once in a test file. */
export function useWorker(): void {
  beforeAll(async () => {
    worker = await buildExample()
  })
  beforeEach(async () => {
    sandbox = await startSandbox({ pasPort: 0, pcsPort: 0, pcsStepMs: 60_000 })
    folder = mkdtempSync(join(tmpdir(), 'worker-'))
  })
  afterEach(async () => {
    for (const child of running.splice(0)) child.kill('SIGKILL')
    await sandbox.close()
    rmSync(folder, { recursive: true })
  })
  afterAll(() => worker.remove())
}

const running: ChildProcess[] = []

interface Ended {
  readonly code: number | null
  readonly output: string
  readonly errors: string
}

interface Run {
  readonly child: ChildProcess
  readonly errors: () => string
  readonly ended: Promise<Ended>
}

export function start(args: readonly string[], env: Readonly<Record<string, string>> = {}): Run {
  const { NODE_OPTIONS: _, ...rest } = process.env
  const child = spawn(process.execPath, [worker.path, ...args], {
    cwd: folder,
    env: { ...rest, PPOPPO_AUTH_URL: sandbox.url, PCS_API_URL: sandbox.pcs?.url, REDIS_URL: '', ...env },
  })
  running.push(child)
  let [output, errors] = ['', '']
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    errors += text
    child.emit('said')
  })
  const ended = once(child, 'close').then(([code]: (number | null)[]) => {
    running.splice(running.indexOf(child), 1)
    return { code: code ?? null, output, errors }
  })
  return { child, errors: () => errors, ended }
}

export const run = (args: readonly string[], env?: Readonly<Record<string, string>>): Promise<Ended> =>
  start(args, env).ended

export function list(name: string, rows: readonly string[]): string {
  writeFileSync(join(folder, name), `${rows.join('\n')}\n`)
  return name
}

export const insertAt = (index: number, row: string, rows: readonly string[]) => [
  ...rows.slice(0, index),
  row,
  ...rows.slice(index),
]
export const received = () =>
  sandbox.control.pcs.sends.flatMap(({ recipients }) => recipients.map(({ ppnum }) => ppnum))
export const journal = (name: string): unknown =>
  JSON.parse(readFileSync(join(folder, `${name}.progress.json`), 'utf8'))
