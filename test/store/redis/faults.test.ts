import { inspect } from 'node:util'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals'
import { Redis } from 'ioredis'
import { isPpoppoError, type PpoppoError } from '../../../src/errors.js'
import { createRedisStore } from '../../../src/store/redis/redis-store.js'
import type { Store } from '../../../src/store/store.js'
import { timed } from '../../support/clock.js'
import { ownTimeOf } from '../../support/own-time.js'
import { putAttempt } from '../../support/put-attempt.js'
import { describeWithOwnRedis, findFreePort, type RedisServer, startRedis } from '../../support/redis.js'
import { startProxy } from '../../support/redis-proxy.js'
import { elapse, untilWorks } from '../../support/until.js'

const HOUR_MS = 3_600_000
/** A request makes two calls in a row; C37 gives it two seconds. */
const CALL_LIMIT_MS = 1500
const REQUEST_LIMIT_MS = 1800
const RECOVERY_LIMIT_MS = 2000

describeWithOwnRedis('C37 Redis at fault', () => {
  let server: RedisServer
  let store: Store
  const unhandled: unknown[] = []
  const onUnhandled = (reason: unknown): void => void unhandled.push(reason)

  beforeAll(() => void process.on('unhandledRejection', onUnhandled))
  afterAll(() => void process.off('unhandledRejection', onUnhandled))
  beforeEach(async () => {
    server = await startRedis()
    store = createRedisStore({ redis: server.url, prefix: 'p:' })
    await store.now()
  })
  afterEach(async () => {
    await store.close()
    await server.stop()
    expect(unhandled.splice(0)).toEqual([])
  })

  /** Awaits the failure of a call, and that it comes in time. */
  async function failure(call: () => Promise<unknown>, withinMs = CALL_LIMIT_MS): Promise<PpoppoError> {
    const { result: error, tookMs } = await timed(() =>
      call().then(
        () => undefined,
        (reason: unknown) => reason,
      ),
    )
    expect(tookMs).toBeLessThan(withinMs)
    if (!isPpoppoError(error, 'store_unavailable')) throw new Error(`not refused, but ${inspect(error)}`)
    return error
  }

  /** Calls until it works, and expects that in time. */
  async function recovery(call: () => Promise<unknown> = () => store.sessions.get('s')): Promise<void> {
    const tookMs = await ownTimeOf(() => untilWorks(() => call().then(() => true)))
    expect(tookMs).toBeLessThan(RECOVERY_LIMIT_MS)
  }

  test('a killed Redis: calls are refused in time, and work again after a restart', async () => {
    await server.kill()
    const error = await failure(() => store.sessions.get('s'))
    expect(error).toMatchObject({ status: 503, retryable: true, retryAfterMs: 1000 })
    await failure(() => store.readSignIn('t.1'), 300)
    await server.restart()
    await recovery()
  })

  test('a Redis killed with 50 calls in flight: all are refused at once', async () => {
    server.pause()
    const calls = Array.from({ length: 50 }, () => failure(() => store.readSignIn('t.1'), 700))
    await new Promise(setImmediate)
    await server.kill()
    await Promise.all(calls)
    await server.restart()
    await recovery()
  })

  test('a Redis that is down for two seconds: each request is answered in time', async () => {
    await server.kill()
    const endAt = performance.now() + 2000
    while (performance.now() < endAt) {
      const tookMs = await ownTimeOf(async () => {
        await failure(() => store.sessions.get('s'))
        await failure(() => store.readSignIn('t.1'))
      })
      expect(tookMs).toBeLessThan(REQUEST_LIMIT_MS)
    }
    await server.restart()
    await recovery()
  })

  test('a hung Redis (SIGSTOP): each request is answered in time for as long as it hangs, and calls work at once afterwards', async () => {
    server.pause()
    const endAt = performance.now() + 3500
    while (performance.now() < endAt) {
      const tookMs = await ownTimeOf(async () => {
        await Promise.all(Array.from({ length: 20 }, () => failure(() => store.sessions.get('s'))))
        await failure(() => store.readSignIn('t.1'))
      })
      expect(tookMs).toBeLessThan(REQUEST_LIMIT_MS)
    }
    server.resume()
    await recovery()
    await store.sessions.set('s', '{"a":1}', 60)
    await Promise.all([
      expect(store.sessions.get('s')).resolves.toBe('{"a":1}'), // replies still belong to their calls
      expect(store.readSignIn('t.1')).resolves.toBeUndefined(),
    ])
  })

  test('a connection that swallows everything is replaced by a new one', async () => {
    const proxy = await startProxy(server.port)
    const far = createRedisStore({ redis: `redis://127.0.0.1:${proxy.port}`, prefix: 'p:' })
    await far.now()
    proxy.swallow()
    await failure(() => far.now())
    await recovery(() => far.now())
    await far.close()
    await proxy.close()
  })

  test('a Redis that hangs before the first connection: calls are refused in time', async () => {
    const late = createRedisStore({ redis: server.url, prefix: 'p:' })
    server.pause()
    await failure(() => late.now())
    server.resume()
    await recovery(() => late.now())
    await late.close()
  })

  test('a Redis that is not there at the start: calls are refused in time without naming the password, and work once it is there', async () => {
    const port = await findFreePort()
    const early = createRedisStore({ redis: `redis://user:hush-hush@127.0.0.1:${port}`, prefix: 'p:' })
    const error = await failure(() => early.now())
    expect(inspect(error, { depth: 9 })).toContain('ECONNREFUSED')
    expect(inspect(error, { depth: 9 })).not.toContain('hush-hush')
    const arrived = await startRedis({ port, args: ['--user', 'user', 'on', '>hush-hush', '~*', '&*', '+@all'] })
    await recovery(() => early.now())
    await early.close()
    await arrived.stop()
  })

  test('C28 a deletion that timed out may run later without harm, and a late write restores nothing', async () => {
    const now = await store.now()
    await store.createSignIn('t.1', 'v', now + HOUR_MS, now)
    server.pause()
    await failure(() => store.writeSignIn('t.1', 1, 'late', now + HOUR_MS))
    server.resume()
    await recovery(() => store.deleteSignIn('t.1'))
    expect(await store.readSignIn('t.1')).toBeUndefined()
    expect(await store.listSignIns('t')).toEqual([])
  })

  test('C08 taking an attempt that times out does not use it up, and a creation that times out leaves no orphaned sign-in', async () => {
    const now = await store.now()
    await putAttempt(store, 'k', 'v', HOUR_MS)
    await store.acquireLease('t.0', 'h', 1) // the clock has been read: the next calls are sent at once
    server.pause()
    await Promise.all([
      failure(() => store.takeTransaction('k', HOUR_MS)),
      failure(() => store.createSignIn('t.1', 'v', now + HOUR_MS, now)),
      failure(() => store.acquireLease('t.1', 'h', HOUR_MS)),
    ])
    await failure(() => store.now())
    server.resume()
    await recovery()
    expect(await store.takeTransaction('k', HOUR_MS)).toMatchObject({ value: 'v' })
    expect(await store.listSignIns('t')).toEqual([])
    expect(await store.acquireLease('t.1', 'next', HOUR_MS)).toMatchObject({ isHolder: true })
  })

  test('C08 taking an attempt that is given up early, because the call before it was late, does not use it up either', async () => {
    await store.takeTransaction('k', HOUR_MS) // the clock has been read, and Redis knows the script
    await putAttempt(store, 'k', 'v', HOUR_MS)
    server.pause()
    await failure(() => store.readSignIn('t.1'))
    await failure(() => store.takeTransaction('k', HOUR_MS), 500)
    server.resume()
    await elapse(200) // for whatever Redis still has to run, should it run it
    expect(await store.takeTransaction('k', HOUR_MS)).toMatchObject({ value: 'v' })
  })

  test('a flushed Redis: everything is gone, and no call fails', async () => {
    const now = await store.now()
    await store.createSignIn('t.1', 'v', now + HOUR_MS, now)
    await onServer((redis) => redis.flushall())
    expect(await store.readSignIn('t.1')).toBeUndefined()
    expect(await store.writeSignIn('t.1', 1, 'w', now + HOUR_MS)).toBe('gone')
    expect(await store.listSignIns('t')).toEqual([])
    await onServer((redis) => redis.script('FLUSH'))
    expect(await store.createSignIn('t.2', 'v', now + HOUR_MS, now)).toBe(true)
  })

  test('a read-only Redis: writes are refused with the reason, reads go on, and writes work once it is a master', async () => {
    await onServer((redis) => redis.replicaof('127.0.0.1', 1))
    const error = await failure(() => store.sessions.set('s', '{}', 60))
    expect(error.message).toContain('read-only replica')
    await recovery()
    await onServer((redis) => redis.replicaof('NO', 'ONE'))
    await recovery(() => store.sessions.set('s', '{}', 60))
  })

  test('a Redis out of memory (noeviction): writes are refused with the reason, and work once it has more', async () => {
    await onServer((redis) => redis.config('SET', 'maxmemory', '1'))
    const error = await failure(() => store.sessions.set('s', '{"email":"a@b"}', 60))
    expect(error.message).toContain('maxmemory')
    expect(inspect(error, { depth: 9 })).not.toContain('a@b')
    await failure(() => store.createLimiter('l', 1).consume('x'))
    await onServer((redis) => redis.config('SET', 'maxmemory', '0'))
    await recovery(() => store.sessions.set('s', '{}', 60))
  })

  test('a wrong password: calls are refused with the reason and the server, and the error does not hold the password', async () => {
    await onServer((redis) => redis.config('SET', 'requirepass', 'right'))
    const stranger = createRedisStore({ redis: server.url.replace('//', '//:wr0ng-one@'), prefix: 'p:' })
    const error = await failure(() => stranger.now())
    expect(error.message).toContain(`Redis at 127.0.0.1:${server.port} refuses the user name or password (WRONGPASS)`)
    expect(error.message).toContain('credentials')
    expect(inspect(error, { depth: 9, showHidden: true })).not.toContain('wr0ng-one')
    await onServer((redis) => redis.config('SET', 'requirepass', 'wr0ng-one'), 'right')
    await recovery(() => stranger.now())
    await stranger.close()
  })

  test('a user without the right to run scripts: calls are refused with the reason, and the error does not hold the value', async () => {
    await onServer((redis) => redis.call('ACL', 'SETUSER', 'poor', 'on', '>pw', '~*', '+@all', '-eval', '-evalsha'))
    const poor = createRedisStore({ redis: server.url.replace('//', '//poor:pw@'), prefix: 'p:' })
    expect(await poor.sessions.get('s')).toBeNull()
    const error = await failure(() => poor.sessions.set('s', 'my secret', 60))
    expect(error.message).toContain('EVALSHA')
    expect(inspect(error, { depth: 9, showHidden: true })).not.toContain('my secret')
    await poor.close()
  })

  test('a Redis without EVAL: calls are refused with the reason, and the error does not hold the value', async () => {
    await server.kill()
    await server.restart(['--rename-command', 'EVAL', '', '--rename-command', 'EVALSHA', ''])
    await recovery(() => store.sessions.get('s'))
    const error = await failure(() => store.sessions.set('s', 'my secret', 60))
    expect(error.message).toContain('EVAL')
    expect(inspect(error, { depth: 9, showHidden: true })).not.toContain('my secret')
  })

  test('a Redis that is slow, but within a second: no call fails', async () => {
    server.pause()
    const calls = Array.from({ length: 20 }, () => store.sessions.get('s'))
    await elapse(500)
    server.resume()
    expect(await ownTimeOf(() => Promise.all(calls))).toBeLessThan(200)
  })

  test('C46 calls in flight are settled when the store is closed', async () => {
    server.pause()
    const call = failure(() => store.readSignIn('t.1'))
    await store.close()
    await call
    await expect(store.now()).rejects.toMatchObject({ code: 'closed' })
    server.resume()
  })

  async function onServer(command: (redis: Redis) => Promise<unknown>, password?: string): Promise<void> {
    const redis = new Redis(server.url, password === undefined ? {} : { password })
    try {
      await command(redis)
    } finally {
      redis.disconnect()
    }
  }
})
