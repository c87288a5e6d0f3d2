import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals'
import { type Sandbox, startSandbox } from 'ppoppo-sandbox'
import { io } from 'socket.io-client'
import { allowed } from '../support/allowed.js'
import { describeWithBrowser, launchBrowser, type TestBrowser } from '../support/browser.js'
import { CookieBrowser } from '../support/cookie-browser.js'
import { describeWithRedis, findFreePort, redisForTests, type TestRedis } from '../support/redis.js'

/** Where `npm run test:examples` has installed each of them; then those with packages of their own are started, too. */
const INSTALLED = process.env['EXAMPLES_INSTALLED']
const ROOT = INSTALLED ?? join(import.meta.dirname, '../../examples')

let sandbox: Sandbox
const running: ChildProcess[] = []

beforeAll(async () => {
  sandbox = await startSandbox({ pasPort: 0, pcsPort: 0, pcsStepMs: 10, autoSignIn: 'alex' })
})
afterAll(() => sandbox.close())
afterEach(() => {
  for (const child of running.splice(0)) child.kill('SIGKILL')
})

interface Example {
  readonly url: string
  /** Resolves when what it printed matches. */
  prints(pattern: RegExp): Promise<void>
  /** Asks it to end. @returns its exit code */
  end(): Promise<number | null>
  /** Waits until it has ended by itself, and all it printed is here. @returns its exit code */
  ended(): Promise<number | null>
}

/** Starts an example as its `npm start` does; `program` is what Node runs, with its arguments. */
async function start(name: string, program = 'server.js', env: NodeJS.ProcessEnv = {}): Promise<Example> {
  const port = env['PORT'] ?? (await findFreePort())
  const { url, tokenUrl, clientId, clientSecret } = sandbox.pcs ?? {}
  const child = spawn(process.execPath, ['--no-warnings', ...program.split(' ')], {
    cwd: join(ROOT, name),
    env: {
      PATH: process.env['PATH'],
      NO_COLOR: '1',
      PORT: String(port),
      PPOPPO_AUTH_URL: sandbox.issuer,
      PCS_API_URL: url,
      PAS_TOKEN_URL: tokenUrl,
      PAS_PCS_CLIENT_ID: clientId,
      PAS_PCS_CLIENT_SECRET: clientSecret,
      ...env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  running.push(child)
  const exited = once(child, 'exit')
  const closed = once(child, 'close')
  let printed = ''
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text) => (printed += text))
  return {
    url: `http://localhost:${port}`,
    async prints(pattern) {
      while (!pattern.test(printed)) {
        if (child.exitCode !== null) throw new Error(`${name} ended with ${child.exitCode}:\n${printed}`)
        await Promise.race([once(child.stdout, 'data'), exited])
      }
    },
    async end() {
      child.kill('SIGTERM')
      await exited
      return child.exitCode
    },
    async ended() {
      await closed
      return child.exitCode
    },
  }
}

const ME = '77700000001'

describe('examples/', () => {
  test.each(['minimal', 'commonjs'])('%s signs a person in, and ends when asked', async (name) => {
    const example = await start(name)
    await example.prints(/localhost/)
    const { status, text } = await new CookieBrowser().go(`${example.url}/account`)
    expect([status, text.includes(`Signed in as ${ME}`)]).toEqual([200, true])
    expect(await example.end()).toBe(0)
  })

  test('existing-session keeps the cart across the sign-in', async () => {
    const example = await start('existing-session')
    await example.prints(/localhost/)
    const browser = new CookieBrowser()
    await browser.visit(`${example.url}/add`)
    const { text } = await browser.go(`${example.url}/account`)
    expect(text).toBe(`Signed in as ${ME}, 1 in the cart`)
    expect(await example.end()).toBe(0)
  })

  test('worker sends to two people and receives the events of both', async () => {
    const example = await start('worker', 'worker.js')
    await example.prints(/accepted 2, rejected 0, unknown 0/)
    await example.prints(/recipient_delivered 12300000001/)
    await example.prints(/request_completed/)
    expect(await example.end()).toBe(0)
  })

  test('socket-io connects who is signed in, and disconnects them within two seconds after a sign-out', async () => {
    const example = await start('socket-io')
    await example.prints(/localhost/)
    const browser = new CookieBrowser()
    const page = await browser.go(`${example.url}/`)
    expect([page.status, page.text.includes('/socket.io/socket.io.js')]).toEqual([200, true])
    const connect = (cookie: string) =>
      io(example.url, { extraHeaders: { cookie }, reconnection: false, forceNew: true })
    const visitor = connect('')
    const refused = await new Promise<Error>((resolve) => visitor.once('connect_error', resolve))
    expect(refused.message).toContain('Nobody is signed in')

    const cookie = [...browser.jar].map(([name, value]) => `${name}=${value}`).join('; ')
    const [speaker, listener] = [connect(cookie), connect(cookie)]
    const said = new Promise((resolve) => listener.once('said', (...words) => resolve(words)))
    const ended = new Promise((resolve) => listener.once('disconnect', resolve))
    await new Promise<void>((resolve) => listener.once('connect', resolve))
    speaker.emit('say', 'Hello')
    expect(await said).toEqual([ME, 'Hello'])
    await browser.visit(`${example.url}/auth/logout`, { method: 'POST', headers: { 'Sec-Fetch-Site': 'same-origin' } })
    const signedOutAt = performance.now()
    expect(await ended).toBe('io server disconnect')
    expect(performance.now() - signedOutAt).toBeLessThan(await allowed(2_000))
    expect(await example.end()).toBe(0)
    for (const client of [visitor, speaker, listener]) client.close()
  })

  if (INSTALLED !== undefined) {
    test('vitest: its tests pass', async () => {
      const example = await start('vitest', 'node_modules/vitest/vitest.mjs run')
      const code = await example.ended()
      await example.prints(/Tests\s+2 passed \(2\)/)
      expect(code).toBe(0)
    })

    test('passport links a Ppoppo account to somebody with a password', async () => {
      const example = await start('passport')
      await example.prints(/localhost/)
      const stranger = await new CookieBrowser().go(`${example.url}/auth/login`)
      expect(stranger.text).toContain('Sign in with your password first')
      const browser = new CookieBrowser()
      await browser.visit(`${example.url}/password`, {
        method: 'POST',
        form: { username: 'alex', password: 'open sesame' },
      })
      const { text } = await browser.go(`${example.url}/auth/login?return_to=/account`)
      expect(text).toBe(`alex, Ppoppo: ${ME}`)
      expect(await example.end()).toBe(0)
    })

    test('nestjs guards a controller, and answers with the status of an error', async () => {
      const example = await start('nestjs', 'dist/main.js')
      await example.prints(/localhost/)
      const browser = new CookieBrowser()
      const problem = await browser.visit(`${example.url}/mine`, { headers: { Accept: 'application/json' } })
      expect([problem.status, JSON.parse(problem.text).code]).toEqual([401, 'signed_out'])
      expect(JSON.parse((await browser.go(`${example.url}/account`)).text)).toMatchObject({ ppnum: ME })
      // Nest closes, then ends by the signal itself.
      expect(await example.end()).toBeNull()
    })

    test("docs/nestjs.md in a CommonJS project: the page's e2e test passes in Jest", async () => {
      writeFilesOf('nestjs.md', join(ROOT, 'nestjs-jest'))
      const example = await start('nestjs-jest', 'node_modules/jest/bin/jest.js --config test/jest-e2e.json')
      const code = await example.ended()
      await example.prints(/Tests:\s+1 passed, 1 total/)
      expect(code).toBe(0)
    })
  }
})

/** Writes what a page of docs/ shows as somebody does who copies it into a CommonJS project: without `.js` in imports. */
function writeFilesOf(page: string, folder: string): void {
  const text = readFileSync(join(import.meta.dirname, '../../docs', page), 'utf8')
  const files = [...text.matchAll(/^```typescript\n\/\/ (\S+)\n([\s\S]*?)^```$/gm)]
  const configs = [...text.matchAll(/^```json\n([\s\S]*?)^```$/gm)]
  expect(configs).toHaveLength(1)
  for (const name of ['src', 'test']) mkdirSync(join(folder, name))
  writeFileSync(join(folder, 'test/jest-e2e.json'), configs[0]?.[1] ?? '')
  for (const [, name = '', code = ''] of files) {
    writeFileSync(join(folder, name), code.replace(/(from '\.[^']*)\.js'/g, "$1'"))
  }
}

test('docs/nestjs.md shows the guard of examples/nestjs as it is', () => {
  const page = readFileSync(join(import.meta.dirname, '../../docs/nestjs.md'), 'utf8')
  const guard = readFileSync(join(import.meta.dirname, '../../examples/nestjs/src/ppoppo.ts'), 'utf8')
  expect(page).toContain(`\`\`\`typescript\n// src/ppoppo.ts\n${guard}\`\`\``)
})

if (INSTALLED !== undefined)
  describeWithBrowser('examples/ in a browser', () => {
    let browser: TestBrowser
    beforeAll(async () => {
      browser = await launchBrowser()
    })
    afterAll(() => browser.close())

    /** The address in the browser. */
    type Served = () => Promise<string>

    const built: Served = async () => {
      const example = await start('spa')
      await example.prints(/localhost/)
      return example.url
    }
    const developed: Served = async () => {
      const port = String(await findFreePort())
      const url = `http://localhost:${port}`
      const server = await start('spa', '--env-file=dev.env server.js', { PPOPPO_BASE_URL: url })
      await server.prints(/localhost/)
      const env = { PORT: new URL(server.url).port }
      const vite = await start('spa', `node_modules/vite/bin/vite.js --port ${port}`, env)
      await vite.prints(new RegExp(port))
      return url
    }

    test.each([
      ['built', built],
      ['with the development server of Vite', developed],
    ] as const)('spa, %s: a sign-out in one tab changes the other', async (_how, serve) => {
      const url = await serve()
      const program = await new CookieBrowser().visit(`${url}/api/account`, { headers: { Accept: 'application/json' } })
      expect([program.status, JSON.parse(program.text).code]).toEqual([401, 'signed_out'])
      const context = await browser.newContext()
      const [one, other] = [await context.newPage(), await context.newPage()]
      await one.goto(url)
      await one.getByText('Sign in', { exact: true }).click()
      await one.getByText(`Signed in as ${ME}`).waitFor()
      await one.getByText('since').waitFor()
      await other.goto(url)
      await other.getByText(`Signed in as ${ME}`).waitFor()
      await one.getByText('Sign out').click()
      await one.getByText('Sign in', { exact: true }).waitFor()
      await other.getByText('Sign in', { exact: true }).waitFor()
      expect(new URL(one.url()).origin).toBe(url)
      await context.close()
    })
  })

describeWithRedis('examples/', () => {
  let redis: TestRedis
  beforeAll(async () => {
    redis = await redisForTests()
  })

  test('two-instances: both processes know who is signed in', async () => {
    const example = await start('two-instances', 'server.js', { REDIS_URL: redis.url })
    await example.prints(/localhost[\s\S]*localhost/)
    const browser = new CookieBrowser()
    await browser.go(`${example.url}/account`)
    const processes = new Set<string>()
    for (let count = 0; count < 50 && processes.size < 2; count += 1) {
      const { text } = await browser.visit(`${example.url}/account`, { headers: { Connection: 'close' } })
      expect(text).toContain(`signed in as ${ME}`)
      processes.add(/Process (\d+)/.exec(text)?.[1] ?? '')
    }
    expect(processes.size).toBe(2)
    expect(await example.end()).toBe(0)
  })
})
