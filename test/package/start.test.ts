import { type ChildProcess, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createServer as createHttpServer } from 'node:http'
import { createServer, type Server } from 'node:net'
import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { afterEach, describe, expect, test } from '@jest/globals'
import { freePort, isPortTaken } from '../../scripts/lib/ports.mjs'

const ROOT = join(import.meta.dirname, '../..')

interface Started {
  readonly child: ChildProcess
  readonly output: () => string
  /** Resolves once the output matches. */
  readonly says: (pattern: RegExp) => Promise<void>
  readonly exitCode: Promise<number | null>
}

const started: Started[] = []
const servers: Server[] = []

afterEach(async () => {
  for (const server of servers.splice(0)) server.close()
  for (const { child, exitCode } of started.splice(0)) {
    child.kill('SIGTERM')
    await exitCode
  }
})

/** `npm start` without npm, which adds nothing but a process. */
function npmStart(env: Record<string, string>, ...args: string[]): Started {
  const { REDIS_URL: _, NODE_OPTIONS: __, PPOPPO_AUTH_URL: ___, ...rest } = process.env
  const child = spawn(process.execPath, ['scripts/start.mjs', ...args], {
    cwd: ROOT,
    env: { ...rest, EXAMPLE_DATABASE: ':memory:', ...env },
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text
      child.emit('output')
    })
  }
  const exitCode = once(child, 'close').then(([code]: (number | null)[]) => code ?? null)
  const says = async (pattern: RegExp) => {
    const ended = exitCode.then((code) => {
      throw new Error(`ended with ${code} before it said ${pattern}:\n${output}`)
    })
    while (!pattern.test(output)) await Promise.race([once(child, 'output'), ended])
    ended.catch(() => undefined)
  }
  const run = { child, output: () => output, says, exitCode }
  started.push(run)
  return run
}

async function takePort(): Promise<number> {
  const port = await freePort()
  const server = createServer().listen(port, '127.0.0.1')
  await once(server, 'listening')
  servers.push(server)
  return port
}

/** Fails by the test's time limit. */
async function bothFree(...ports: number[]): Promise<void> {
  for (const port of ports) while (await isPortTaken(port)) await setImmediate()
}

describe('npm start', () => {
  test('starts sandbox and app, names the address once it answers, and leaves nothing behind', async () => {
    const [port, pasPort] = [await freePort(), await freePort()]
    const { child, output, says, exitCode } = npmStart({ PORT: `${port}` }, '--pas-port', `${pasPort}`)
    await says(new RegExp(`^Open http://localhost:${port} `, 'm'))
    expect(output().split(`http://localhost:${port}`)).toHaveLength(2)
    expect((await fetch(`http://localhost:${port}/`)).status).toBe(200)
    expect((await fetch(`http://localhost:${pasPort}/.well-known/openid-configuration`)).status).toBe(200)

    child.kill('SIGTERM')
    expect(await exitCode).toBe(143)
    expect(output()).not.toContain('by itself')
    expect(await isPortTaken(port)).toBe(false)
    expect(await isPortTaken(pasPort)).toBe(false)
  })

  test('its servers end even when it is killed and can say nothing to them', async () => {
    const [port, pasPort] = [await freePort(), await freePort()]
    const { child, says, exitCode } = npmStart({ PORT: `${port}` }, '--pas-port', `${pasPort}`)
    await says(/^Open /m)
    child.kill('SIGKILL')
    await exitCode
    await bothFree(port, pasPort)
  })

  test('U9 with PPOPPO_AUTH_URL it starts no sandbox; on a laptop the app says that nobody is there, and goes on', async () => {
    const [port, pasPort] = [await freePort(), await freePort()]
    const env = { PORT: `${port}`, PPOPPO_AUTH_URL: `http://localhost:${pasPort}` }
    const { output, says } = npmStart(env, '--pas-port', `${pasPort}`)
    await says(/^Open /m)
    expect(await isPortTaken(pasPort)).toBe(false)
    expect(output()).not.toMatch(/^sandbox/m)
    expect(output()).toContain(`PAS at http://localhost:${pasPort} cannot be reached (ECONNREFUSED`)
    expect((await fetch(`http://localhost:${port}/`)).status).toBe(200)
  })

  test('U9 a deployment with a wrong PAS ends with 1 and says what is wrong', async () => {
    const nobody = createHttpServer((_req, res) => void res.writeHead(404).end('nobody here'))
    servers.push(nobody.listen(0, '127.0.0.1'))
    await once(nobody, 'listening')
    const address = nobody.address()
    const url = `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}`
    const [port, redisPort] = [await freePort(), await freePort()]
    const { output, exitCode } = npmStart({
      NODE_ENV: 'production',
      PORT: `${port}`,
      PPOPPO_AUTH_URL: url,
      PPOPPO_CLIENT_ID: 'example_login_client',
      PPOPPO_BASE_URL: `http://localhost:${port}`,
      PPOPPO_SESSION_SECRET: randomBytes(32).toString('base64url'),
      PPOPPO_VAULT_KEYS: `k1:${randomBytes(32).toString('base64')}`,
      REDIS_URL: `redis://127.0.0.1:${redisPort}`,
    })
    expect(await exitCode).toBe(1)
    expect(output()).toContain('cannot start: Not ready:')
    expect(output()).toContain(`Redis at 127.0.0.1:${redisPort} refuses connections (ECONNREFUSED)`)
    expect(output()).toContain(`PAS at ${url} has no discovery document (HTTP 404)`)
  })

  test('a port in use is one line that says what to do', async () => {
    const port = await takePort()
    const { output, exitCode } = npmStart({ PORT: `${port}` })
    expect(await exitCode).toBe(1)
    expect(output()).toBe(`Port ${port} is in use by another program. Try: PORT=3001 npm start\n`)
  })

  test('so is a port in use that the sandbox needs', async () => {
    const [port, pasPort] = [await freePort(), await takePort()]
    const { output, exitCode } = npmStart({ PORT: `${port}` }, `--pas-port=${pasPort}`)
    expect(await exitCode).toBe(1)
    expect(output()).toBe(`Port ${pasPort} is in use by another program. Try: npm start -- --pas-port 3101\n`)
  })

  test('a sandbox that cannot start is told, and nothing goes on running', async () => {
    const [port, pasPort] = [await freePort(), await freePort()]
    const { output, exitCode } = npmStart({ PORT: `${port}` }, '--pas-port', `${pasPort}`, '--no-such-flag')
    expect(await exitCode).toBe(1)
    expect(output()).toContain('The sandbox ended at start')
    expect(await isPortTaken(pasPort)).toBe(false)
  })
})
