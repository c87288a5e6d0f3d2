import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { type Sandbox, startSandbox } from 'ppoppo-sandbox'
import { io, type Socket } from 'socket.io-client'
import { WebSocket } from 'ws'
import { programsOf } from '../../scripts/check/doc-programs.mjs'
import { type Ppoppo, ppoppo } from '../../src/index.js'
import { signInAs } from '../../src/testing/index.js'
import { allowed } from '../support/allowed.js'
import { libraryForTests } from '../support/built-library.js'
import { describeWithRedis, findFreePort, redisForTests } from '../support/redis.js'
import { untilWorks } from '../support/until.js'

const PAGE = readFileSync(new URL('../../docs/websockets.md', import.meta.url), 'utf8')
const ALEX = { sub: '01HZY3V9QK8E5R6T7W8X9Y0Z1A', ppnum: '12312345678' }
/** From the sign-out in another process to the end of the socket. */
const END_MS = 2_000

describeWithRedis('docs/websockets.md: its programs, as two processes on one Redis', () => {
  let sandbox: Sandbox
  /** A third instance, which signs people in. */
  let auth: Ppoppo
  let baseUrl: string
  let otherUrl: string
  const children: ChildProcess[] = []
  /** Closed at the end, since a client of socket.io connects again and again. */
  const clients: Socket[] = []

  beforeAll(async () => {
    sandbox = await startSandbox({ pasPort: 0 })
    const redis = await redisForTests()
    const ports = [await findFreePort(), await findFreePort()]
    baseUrl = `http://localhost:${ports[0]}`
    otherUrl = `http://localhost:${ports[1]}`
    const options = { clientId: redis.prefix().replace(/\W/g, ''), baseUrl, issuer: sandbox.issuer, redis: redis.url }
    auth = ppoppo(options)
    await auth.ready().catch(() => {})
    const env = {
      PPOPPO_CLIENT_ID: options.clientId,
      PPOPPO_BASE_URL: baseUrl,
      PPOPPO_AUTH_URL: sandbox.issuer,
      REDIS_URL: redis.url,
    }
    const library = await libraryForTests()
    for (const [index, program] of programsOf(PAGE).entries()) {
      const file = join(library, `recipe-${index}.js`)
      const code = program.replace("'express-ppoppo'", "'./index.js'").replace('3000', `${ports[index]}`)
      await writeFile(file, code)
      const settings = { env: { ...process.env, ...env, NODE_OPTIONS: '--no-warnings' }, stdio: 'inherit' } as const
      children.push(spawn(process.execPath, ['--unhandled-rejections=strict', file], settings))
    }
    for (const url of [baseUrl, otherUrl]) await untilWorks(() => fetch(`${url}/auth/session`))
  })
  afterAll(async () => {
    for (const client of clients) client.close()
    for (const child of children) {
      const isGone = child.exitCode === null ? once(child, 'exit') : undefined
      child.kill()
      await isGone
    }
    await auth.close()
    await sandbox.close()
  })

  async function signOut(url: string, cookie: string): Promise<void> {
    const answer = await fetch(`${url}/auth/logout`, {
      method: 'POST',
      headers: { cookie, accept: 'application/json' },
    })
    expect(await answer.json()).toEqual({ signedOut: true })
  }

  /** Resolves with the status of the refusal. */
  function refusalOf(headers: Readonly<Record<string, string>>): Promise<{ status: number; body: unknown }> {
    return new Promise((resolve, reject) => {
      const socket = new WebSocket(baseUrl, { headers })
      socket.on('open', () => reject(new Error('the socket is open')))
      socket.on('error', reject)
      socket.on('unexpected-response', (_request, answer) => {
        let text = ''
        answer.on('data', (chunk) => (text += chunk))
        answer.on('end', () => resolve({ status: answer.statusCode ?? 0, body: JSON.parse(text) }))
      })
    })
  }

  test('ws: a sign-out in the other process closes the socket within two seconds', async () => {
    const cookie = await signInAs(auth, ALEX)
    const socket = new WebSocket(baseUrl, { headers: { cookie, origin: baseUrl } })
    expect(String((await once(socket, 'message'))[0])).toBe('Hello 12312345678')
    const closed = once(socket, 'close')
    await signOut(otherUrl, cookie)
    const signedOutAt = performance.now()
    expect((await closed).map(String)).toEqual(['4401', 'signed out'])
    expect(performance.now() - signedOutAt).toBeLessThan(await allowed(END_MS))
  })

  test('ws: a visitor is refused with 401, a page of another site with 403', async () => {
    const cookie = await signInAs(auth, ALEX)
    const loginUrl = `${baseUrl}/auth/login`
    expect(await refusalOf({ origin: baseUrl })).toMatchObject({ status: 401, body: { code: 'signed_out', loginUrl } })
    const foreign = await refusalOf({ cookie, origin: 'https://evil.example' })
    expect(foreign).toMatchObject({ status: 403, body: { code: 'cross_site' } })
  })

  test('ws: browsers that hang up during the handshake end nothing', async () => {
    for (let count = 0; count < 20; count += 1) {
      const socket = connect(Number(new URL(baseUrl).port), '127.0.0.1')
      await once(socket, 'connect')
      socket.write(`GET / HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n`)
      socket.resetAndDestroy()
    }
    expect(await refusalOf({ origin: baseUrl })).toMatchObject({ status: 401 })
  })

  test.each([['websocket'], ['polling']])(
    'socket.io by %s: a visitor gets connect_error; a sign-out in the other process disconnects',
    async (transport) => {
      const refused = io(otherUrl, { transports: [transport], reconnection: false, forceNew: true })
      clients.push(refused)
      const error = await new Promise<Error>((resolve) => refused.once('connect_error', resolve))
      expect(error.message).toBe('Nobody is signed in in this browser. Sign in first.')

      const cookie = await signInAs(auth, ALEX)
      const socket = io(otherUrl, { transports: [transport], extraHeaders: { cookie }, forceNew: true })
      clients.push(socket)
      expect(await new Promise((resolve) => socket.once('hello', resolve))).toBe('12312345678')
      const ended = new Promise<string>((resolve) => socket.once('disconnect', resolve))
      await signOut(baseUrl, cookie)
      const signedOutAt = performance.now()
      expect(await ended).toMatch(/io server disconnect|transport close/)
      expect(performance.now() - signedOutAt).toBeLessThan(await allowed(END_MS))
    },
  )
})
