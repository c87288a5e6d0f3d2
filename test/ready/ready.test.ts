import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { inspect } from 'node:util'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import { type Sandbox, startSandbox } from 'ppoppo-sandbox'
import { PpoppoError } from '../../src/errors.js'
import { type Ppoppo, type PpoppoOptions, ppoppo } from '../../src/index.js'
import { runProgram } from '../support/built-library.js'
import { DEV } from '../support/config.js'
import { faultOf, readinessOf } from '../support/readiness.js'
import { describeWithOwnRedis, findFreePort, type RedisServer, startRedis } from '../support/redis.js'
import { until } from '../support/until.js'

let sandbox: Sandbox
const unhandled: unknown[] = []
const onUnhandled = (reason: unknown): void => void unhandled.push(reason)
const open: Ppoppo[] = []

beforeAll(async () => {
  process.on('unhandledRejection', onUnhandled)
  sandbox = await startSandbox({ pasPort: 0 })
})
beforeEach(() => sandbox.control.reset())
afterEach(async () => {
  for (const auth of open.splice(0)) await auth.close()
  expect(unhandled.splice(0)).toEqual([])
})
afterAll(async () => {
  process.off('unhandledRejection', onUnhandled)
  await sandbox.close()
})

function start(options: PpoppoOptions = {}): Ppoppo {
  const auth = ppoppo({ ...DEV, issuer: sandbox.issuer, onEvent: () => {}, ...options })
  open.push(auth)
  return auth
}

describe('U9 auth.ready()', () => {
  test('resolves if PAS is up and the store is in memory, also without options, and asks PAS once', async () => {
    const auth = start()
    await expect(Promise.all(Array.from({ length: 50 }, () => auth.ready()))).resolves.toBeDefined()
    expect(sandbox.control.counters.discovery).toBe(1)
    await expect(auth.ready({ timeoutMs: 5_000 })).resolves.toBeUndefined()
  })

  test('reports the current state, not an earlier one', async () => {
    const pas = await startSandbox({ pasPort: 0 })
    const auth = start({ issuer: pas.issuer })
    await auth.ready()
    await pas.close()
    // What was seen within the last second is not asked for again.
    await until(async () => (await auth.ready({ timeoutMs: 200 }).catch(() => 'not ready')) === 'not ready')
    await expect(auth.ready({ timeoutMs: 300 })).rejects.toMatchObject({ code: 'provider_unavailable' })
    const back = await startSandbox({ pasPort: pas.port })
    await auth.ready({ timeoutMs: 30_000 })
    await auth.close()
    await back.close()
  })

  test.each<[string, object, RegExp]>([
    ['an unknown option', { timeout: 5 }, /auth\.ready: "timeout" is not an option; did you mean "timeoutMs"/],
    ['an array', [], /takes an object with signal, timeoutMs/],
    ['a time of 0', { timeoutMs: 0 }, /"timeoutMs" must be a positive number of milliseconds/],
    ['a time that is not a number', { timeoutMs: '5000' }, /"timeoutMs" must be a positive number/],
    ['NaN', { timeoutMs: Number.NaN }, /"timeoutMs" must be a positive number/],
    ['a time beyond the longest timer', { timeoutMs: 2 ** 31 }, /2147483647 at most/],
    ['a signal that is not an AbortSignal', { signal: true }, /"signal" must be an AbortSignal/],
  ])('rejects %s', async (_name, options, why) => {
    const failure = start().ready(options)
    await expect(failure).rejects.toThrow(why)
    await expect(failure).rejects.toMatchObject({ code: 'config_invalid' })
  })

  test('rejects at once after close(), and close() rejects a pending call', async () => {
    sandbox.control.inject({ endpoint: 'discovery', fault: { kind: 'hang' }, times: 'until-cleared' })
    const auth = start()
    const waiting = auth.ready()
    await until(async () => sandbox.control.counters.discovery > 0)
    await Promise.all([
      expect(waiting).rejects.toMatchObject({ code: 'closed', message: expect.stringContaining('auth.close()') }),
      auth.close(),
    ])
    await expect(auth.ready()).rejects.toMatchObject({ code: 'closed' })
  })

  test('rejects with the signal’s reason if aborted before or during the call', async () => {
    const auth = start()
    const reason = new Error('not today')
    await expect(auth.ready({ signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
    expect(sandbox.control.counters.discovery).toBe(0)
    sandbox.control.inject({ endpoint: 'discovery', fault: { kind: 'hang' }, times: 'until-cleared' })
    const abort = new AbortController()
    const waiting = auth.ready({ signal: abort.signal })
    const other = auth.ready({ timeoutMs: 500 })
    await until(async () => sandbox.control.counters.discovery > 0)
    abort.abort(reason)
    await expect(waiting).rejects.toBe(reason)
    await expect(other).rejects.toMatchObject({ code: 'provider_unavailable' })
  })

  test('leaves no timer or socket behind: after close() the process exits by itself, whatever was wrong', async () => {
    const port = await findFreePort()
    const silent = createServer((socket) => void socket.on('error', () => {})).listen(0, '127.0.0.1')
    await once(silent, 'listening')
    const { port: silentPort } = silent.address() as AddressInfo
    const program = (at: number, ready: string): string => `
      import { ppoppo } from './index.js'
      const address = 'http://127.0.0.1:${at}'
      const messaging = { apiUrl: address, tokenUrl: address + '/token', clientId: 'c', clientSecret: 's' }
      const redis = 'redis://127.0.0.1:${at}'
      const auth = ppoppo({ clientId: 'a_login_client', baseUrl: 'http://localhost:3000', issuer: address, redis, messaging })
      await auth.ready(${ready}).catch((error) => console.log(error.name, error.code, error.message.split('\\n').length))
      await auth.close()`
    try {
      for (const at of [port, silentPort]) {
        expect(await runProgram(program(at, '{ timeoutMs: 400 }'))).toEqual({
          code: 0,
          output: 'PpoppoError store_unavailable 4\n',
        })
        const aborted = await runProgram(program(at, '{ signal: AbortSignal.timeout(100) }'))
        expect(aborted).toEqual({ code: 0, output: 'TimeoutError 23 1\n' })
      }
    } finally {
      silent.close()
    }
  })
})

describeWithOwnRedis('U9 auth.ready() with Redis', () => {
  let server: RedisServer
  beforeAll(async () => {
    server = await startRedis()
  })
  afterAll(() => server.stop())

  test('waits for a Redis and a PAS that start later than the app', async () => {
    const [port, pasPort] = [await findFreePort(), await findFreePort()]
    const auth = start({ redis: `redis://127.0.0.1:${port}`, issuer: `http://localhost:${pasPort}` })
    const ready = auth.ready({ timeoutMs: 30_000 })
    const later = await startRedis({ port })
    const pas = await startSandbox({ pasPort })
    try {
      await expect(ready).resolves.toBeUndefined()
    } finally {
      await auth.close()
      await later.stop()
      await pas.close()
    }
  })

  test('reports all faults at once, each with place, errno and fix, and has them as its cause', async () => {
    const [port, pasPort] = [await findFreePort(), await findFreePort()]
    const { error, text } = await faultOf(
      { redis: `redis://app:hush-hush@127.0.0.1:${port}`, issuer: `http://127.0.0.1:${pasPort}` },
      /Redis .*\(ECONNREFUSED\).*\n- PAS .*\(ECONNREFUSED/,
    )
    expect(text).toMatch(/^Not ready:\n- .*\n- .*$/)
    expect(text).toMatch(new RegExp(`Redis at 127\\.0\\.0\\.1:${port} refuses connections \\(ECONNREFUSED\\)\\. Check`))
    expect(text).toMatch(
      new RegExp(
        `PAS at http://127\\.0\\.0\\.1:${pasPort} cannot be reached \\(ECONNREFUSED: .*\\)\\. Start the sandbox with`,
      ),
    )
    expect(error).toMatchObject({ code: 'store_unavailable', retryable: true })
    const faults = [{ code: 'store_unavailable' }, { code: 'provider_unavailable' }]
    expect(error?.cause).toMatchObject({ errors: faults })
    expect(inspect(error, { depth: 9, showHidden: true })).not.toContain('hush-hush')
  })

  test('reports a lasting fault at once, with the other faults so far', async () => {
    const pasPort = await findFreePort()
    const { error, text } = await readinessOf(
      { redis: server.url.replace('//', '//nobody:hush-hush@'), issuer: `http://127.0.0.1:${pasPort}` },
      { timeoutMs: 120_000 },
    )
    expect(text).toMatch(/refuses the user name or password \(WRONGPASS\)/)
    expect(text).toMatch(/cannot be reached \(ECONNREFUSED/)
    expect(error).toBeInstanceOf(PpoppoError)
  })

  test('rejects in time if Redis hangs, also if it hangs later', async () => {
    const auth = start({ redis: server.url })
    await auth.ready()
    server.pause()
    try {
      await expect(auth.ready({ timeoutMs: 2_500 })).rejects.toThrow(
        new RegExp(`127\\.0\\.0\\.1:${server.port} (does not answer, or not in time|closes our connections)`),
      )
    } finally {
      server.resume()
    }
    await expect(auth.ready({ timeoutMs: 30_000 })).resolves.toBeUndefined()
  })
})
