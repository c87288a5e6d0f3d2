import { describe, expect, test } from '@jest/globals'
import { runProgram } from '../support/built-library.js'
import { describeWithOwnRedis, startRedis } from '../support/redis.js'

const withRedis = (url: string, body: string): string => `
  import { createRedisStore } from './store/redis/redis-store.js'
  const store = createRedisStore({ redis: '${url}', prefix: 'p:' })
  ${body}`

describe('C46 memory store', () => {
  test('keeps no process alive, closed or not, and does not load ioredis', async () => {
    const program = `
      import { createRequire } from 'node:module'
      import { createMemoryStore } from './store/memory/memory-store.js'
      import './store/redis/redis-store.js'
      const store = createMemoryStore({ now: Date.now })
      await store.putTransaction(() => ({ key: 'k', value: 'v' }), 600000)
      console.log(Object.keys(createRequire(import.meta.url).cache).some((file) => file.includes('ioredis')))`
    expect(await runProgram(program)).toEqual({ code: 0, output: 'false\n' })
    expect(await runProgram(`${program}\nawait store.close()`)).toEqual({ code: 0, output: 'false\n' })
  })
})

describeWithOwnRedis('C46 Redis store', () => {
  test('lets the process exit after close(), whether used, never used or in use', async () => {
    const server = await startRedis()
    const done = { code: 0, output: 'done\n' }
    const close = `await store.close(); console.log('done')`
    const used = `await store.now(); await store.sessions.set('s', '{}', 60); await store.acquireLease('t.1', 'h', 1000)`
    const inUse = `await store.now(); const call = store.sessions.get('s').catch(() => {})`
    expect(await runProgram(withRedis(server.url, close))).toEqual(done)
    expect(await runProgram(withRedis(server.url, `${used}\n${close}`))).toEqual(done)
    expect(await runProgram(withRedis(server.url, `${inUse}\n${close}\nawait call`))).toEqual(done)
    await server.stop()
  })

  test('lets the process exit after close() while Redis hangs or is down, or was never connected', async () => {
    const server = await startRedis()
    const fails = `await store.now().then(() => console.log('answered?'), (error) => console.log(error.code))`
    const close = `await store.close(); console.log('done')`
    const done = { code: 0, output: 'store_unavailable\ndone\n' }
    server.pause()
    expect(await runProgram(withRedis(server.url, `${fails}\n${close}`))).toEqual(done)
    await server.kill()
    expect(await runProgram(withRedis(server.url, `${fails}\n${close}`))).toEqual(done)
    await server.stop()
  })

  test('lets the process exit after close() of a consumer store, even while a worker waits or Redis hangs', async () => {
    const server = await startRedis()
    const program = (body: string): string => `
      import { createRedisConsumerStore } from './store/redis/consumer/consumer-store.js'
      const store = createRedisConsumerStore({ redis: '${server.url}', prefix: 'p:' })
      const take = () => store.queue.take('n', 'w', { count: 1, claimAfterMs: 1000, waitMs: 400 })
      ${body}
      await store.close()
      console.log('done')`
    const done = { code: 0, output: 'done\n' }
    const waits = `await take(); const waiting = take().catch(() => {}); await new Promise((r) => setTimeout(r, 50))`
    expect(await runProgram(program(''))).toEqual(done)
    expect(await runProgram(program(waits))).toEqual(done)
    server.pause()
    expect(await runProgram(program('await take().catch(() => {})'))).toEqual(done)
    await server.stop()
  })
})
