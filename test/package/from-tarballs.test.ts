import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { build, ROOT } from '../../scripts/lib/build.mjs'
import { freePort } from '../../scripts/lib/ports.mjs'
import { allowed } from '../support/allowed.js'
import { describeWithBrowser, launchBrowser, type TestBrowser } from '../support/browser.js'
import { until, untilWorks } from '../support/until.js'

/** From the end of `npm install` to the first sign-in, for somebody who only copies what the README says. */
const FIRST_SIGN_IN_MS = 60_000
const INBOX_MS = 1_000
const INSTALL_MS = 300_000
const FLAGS = ['--prefer-offline', '--no-audit', '--no-fund', '--ignore-scripts', '--loglevel=error']

const SEND = `
import { createMessaging } from 'express-ppoppo/messaging'

const messaging = createMessaging()
await messaging.send({
  templateId: 'tpl_order_placed',
  recipients: [{ ppnum: '77700000001', vars: { number: 'A-42' } }],
})
console.log(Date.now())
await messaging.close()
`
const TYPES = `
import { startSandbox, type Sandbox } from 'ppoppo-sandbox'
import { runCommandLine } from 'ppoppo-sandbox/cli'

const sandbox: Sandbox = await startSandbox({ pasPort: 0, pcsPort: 0 })
await sandbox.reset()
await sandbox.seed({ messages: [{ templateId: 'tpl_order_placed', ppnums: ['77700000001'], vars: { number: '1' } }] })
export const code: Promise<number> = runCommandLine([])
`

interface Running {
  readonly child: ChildProcess
  readonly output: () => string
}

describeWithBrowser('from the two tarballs, in an empty folder', () => {
  let folder: string
  let browser: TestBrowser
  let installedAt: number
  let withoutSandbox: { code: number | null; output: string }
  const running: Running[] = []
  const { NODE_OPTIONS: _, REDIS_URL: __, ...env } = process.env

  const npm = (cwd: string, ...args: string[]) => promisify(execFile)('npm', args, { cwd, env })

  async function pack(...args: string[]): Promise<string> {
    const { stdout } = await npm(ROOT, 'pack', '--json', '--ignore-scripts', '--pack-destination', folder, ...args)
    // A list, or since npm 12 an object by package name.
    const [entry]: { filename: string }[] = Object.values(JSON.parse(stdout))
    return join(folder, entry?.filename ?? '')
  }

  /** A program, with npx in front of its name or without, in a process group of its own. */
  function start(command: string, args: readonly string[], more: Record<string, string> = {}): Running {
    const child = spawn(command, args, { cwd: folder, env: { ...env, ...more }, detached: true })
    let output = ''
    for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text) => (output += text))
    const one = { child, output: () => output }
    running.push(one)
    return one
  }

  async function stop({ child }: Running): Promise<number | null> {
    if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return child.exitCode
    const ended = once(child, 'close')
    process.kill(-child.pid, 'SIGTERM')
    await ended
    return child.exitCode
  }

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'ppoppo-tarballs-'))
    expect(await build({ only: ['library', 'sandbox'] })).toBe(true)
    const [library, sandbox] = [await pack(), await pack('-w', 'ppoppo-sandbox')]
    browser = await launchBrowser()
    await npm(folder, 'install', ...FLAGS, 'express', library)
    const missing = start('npx', ['express-ppoppo', 'sandbox'])
    const [code]: (number | null)[] = await once(missing.child, 'close')
    withoutSandbox = { code: code ?? null, output: missing.output() }
    await npm(folder, 'install', ...FLAGS, '--save-dev', sandbox)
    installedAt = performance.now()
  }, INSTALL_MS)

  afterAll(async () => {
    for (const one of running) await stop(one)
    await browser?.close()
    rmSync(folder, { recursive: true, force: true, maxRetries: 3 })
  })

  test('without ppoppo-sandbox, express-ppoppo sandbox says what to install', () => {
    expect(withoutSandbox.code).toBe(1)
    expect(withoutSandbox.output).toContain('npm install --save-dev ppoppo-sandbox')
    expect(withoutSandbox.output).not.toMatch(/^\s+at /m)
  })

  test('the README’s first program signs in, and a message is on the inbox page within a second', async () => {
    const [port, pasPort, pcsPort] = [await freePort(), await freePort(), await freePort()]
    const sandbox = start('npx', ['express-ppoppo', 'sandbox', '--pas-port', `${pasPort}`, '--pcs-port', `${pcsPort}`])
    await until(() => /Ctrl\+C stops it/.test(sandbox.output()), sandbox.output)
    // The lines for .env, as somebody would copy them.
    const lines = [...sandbox.output().matchAll(/^ {4}([A-Z_]+)=(.*)$/gm)]
    const variables = Object.fromEntries(lines.map(([, name = '', value = '']) => [name, value]))
    const readme = readFileSync(join(folder, 'node_modules/express-ppoppo/README.md'), 'utf8')
    const [, program = ''] = /```ts\n(.*?)```/s.exec(readme) ?? []
    writeFileSync(join(folder, 'app.mjs'), program.replaceAll('3000', `${port}`))
    const app = start(process.execPath, ['app.mjs'], variables)

    const page = await (await browser.newContext()).newPage()
    await untilWorks(() => page.goto(`http://localhost:${port}/`)).catch((error: Error) => {
      throw new Error(`${error.message}\n${app.output()}`)
    })
    await page.getByRole('link').click()
    await page.click('button[value=alex]')
    await page.getByText('Hello 77700000001').waitFor()
    expect(performance.now() - installedAt).toBeLessThan(await allowed(FIRST_SIGN_IN_MS))

    await page.goto(`http://localhost:${pasPort}/__sandbox/inbox`)
    await page.getByText('Live', { exact: true }).waitFor()
    writeFileSync(join(folder, 'send.mjs'), SEND)
    const sending = start(process.execPath, ['send.mjs'], variables)
    await page.getByText('Your order A-42 has been placed.').waitFor()
    const shownAt = Date.now()
    await until(() => sending.child.exitCode !== null, sending.output)
    expect(shownAt - Number(sending.output())).toBeLessThan(INBOX_MS)
  })

  test('the sandbox ends with its signal', async () => {
    const [, sandbox] = running
    if (sandbox === undefined) throw new Error('it did not start')
    await stop(sandbox)
    expect(sandbox.output()).not.toMatch(/error/i)
  })

  test('its types are complete', async () => {
    writeFileSync(join(folder, 'types.mts'), TYPES)
    const flags = ['--noEmit', '--strict', '--skipLibCheck', 'false', '--target', 'es2022', '--module', 'nodenext']
    const types = ['--types', 'node', '--typeRoots', join(ROOT, 'node_modules/@types')]
    const tsc = join(ROOT, 'node_modules/.bin/tsc')
    await promisify(execFile)(tsc, [...flags, ...types, 'types.mts'], { cwd: folder, env }).catch(
      ({ stdout }: { stdout: string }) => {
        throw new Error(stdout)
      },
    )
  })
})
