import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import { Cluster, Redis } from 'ioredis'
import { type Sandbox, startSandbox } from 'ppoppo-sandbox'
import type { PpoppoOptions } from '../../src/index.js'
import { PRODUCTION } from '../support/config.js'
import { type Readiness, readinessOf } from '../support/readiness.js'
import { describeWithOwnRedis, type RedisServer, startRedis } from '../support/redis.js'
import { accessOptions, startCluster, startSentinel } from '../support/redis-topologies.js'
import { until } from '../support/until.js'

const IN_TIME = { timeoutMs: 30_000 }
const KEEPS_NOTHING = /keeps nothing on its disk.*"appendonly yes"/
const EVICTS = /"maxmemory-policy \S+".*deletes sign-ins.*noeviction/

describeWithOwnRedis('U9 auth.ready() with each kind of Redis', () => {
  let sandbox: Sandbox
  beforeAll(async () => {
    sandbox = await startSandbox({ pasPort: 0 })
  })
  afterAll(() => sandbox.close())

  const ready = (redis: NonNullable<PpoppoOptions['redis']>): Promise<Readiness> =>
    readinessOf({ redis, issuer: sandbox.issuer }, IN_TIME)

  test('resolves with a client of the app, which stays open, and with a Unix socket', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'ppoppo-socket-'))
    const path = join(folder, 'redis.sock')
    const server = await startRedis({ args: ['--unixsocket', path] })
    const client = new Redis(server.url)
    try {
      expect((await ready(client)).text).toBe('ready')
      expect(await client.ping()).toBe('PONG')
      expect((await ready(new Redis({ path, lazyConnect: true }))).text).toBe('ready')
    } finally {
      client.disconnect()
      await server.stop()
      rmSync(folder, { recursive: true })
    }
  })

  test('resolves with Sentinel and a Cluster, both with a password', async () => {
    const password = 'hush-hush'
    const sentinel = await startSentinel('mine', { password })
    const cluster = await startCluster({ password })
    try {
      const behind = new Redis({
        ...{ sentinels: [{ host: '127.0.0.1', port: sentinel.ports[0] ?? 0 }], name: 'mine', lazyConnect: true },
        ...{ password, sentinelPassword: password },
      })
      expect((await ready(behind)).text).toBe('ready')
      const nodes = cluster.ports.map((port) => ({ host: '127.0.0.1', port }))
      const client = new Cluster(nodes, { redisOptions: accessOptions({ password }), lazyConnect: true })
      expect((await ready(client)).text).toBe('ready')
    } finally {
      await sentinel.stop()
      await cluster.stop()
    }
  })

  describe('eviction and persistence', () => {
    let server: RedisServer
    let admin: Redis
    beforeAll(async () => {
      server = await startRedis()
      admin = new Redis(server.url)
    })
    beforeEach(async () => {
      await admin.config('SET', 'maxmemory-policy', 'noeviction')
      await admin.config('SET', 'appendonly', 'no')
      await admin.config('SET', 'save', '')
    })
    afterAll(async () => {
      admin.disconnect()
      await server.stop()
    })

    const inProduction = async (url = server.url): Promise<readonly string[]> => {
      const { text, warnings } = await readinessOf({ ...PRODUCTION, redis: url, issuer: sandbox.issuer }, IN_TIME)
      expect(text).toBe('ready')
      return warnings.filter((warning) => warning.startsWith('Redis'))
    }

    test.each(['volatile-lru', 'volatile-ttl', 'allkeys-lru', 'allkeys-random'])(
      'an evicting policy (%s) is reported before it resolves',
      async (policy) => {
        await admin.config('SET', 'maxmemory-policy', policy)
        await admin.config('SET', 'appendonly', 'yes')
        expect(await inProduction()).toEqual([expect.stringMatching(EVICTS)])
        // On one's own machine, too: what is lost there puzzles just as much.
        expect((await ready(server.url)).warnings).toEqual([expect.stringContaining(policy)])
      },
    )

    test('no persistence, or only snapshots, is a warning in production and not in development', async () => {
      expect(await inProduction()).toEqual([expect.stringMatching(KEEPS_NOTHING)])
      expect((await ready(server.url)).warnings).toEqual([])
      await admin.config('SET', 'save', '3600 1')
      expect(await inProduction()).toEqual([expect.stringMatching(/snapshots only.*"appendonly yes"/)])
    })

    test('noeviction with appendonly raises no warning', async () => {
      await admin.config('SET', 'appendonly', 'yes')
      await until(async () => (await admin.info('persistence')).includes('aof_rewrite_in_progress:0'))
      expect(await inProduction()).toEqual([])
    })

    test.each<[string, string[], RegExp[]]>([
      ['CONFIG', ['-config'], [/maxmemory-policy allkeys-lru/]],
      ['CONFIG and INFO', ['-config', '-info'], []],
    ])('if %s is forbidden, it resolves and only reports what it can read', async (_name, rights, expected) => {
      await admin.config('SET', 'maxmemory-policy', 'allkeys-lru')
      await admin.call('ACL', 'SETUSER', 'app', 'reset', 'on', '>pw', '~*', '&*', '+@all', ...rights)
      const warnings = await inProduction(server.url.replace('//', '//app:pw@'))
      expect(warnings).toEqual(expected.map((pattern) => expect.stringMatching(pattern)))
    })

    test.each(['get', 'decr', 'zadd', 'pexpireat', 'pttl', 'incr', 'set', 'time', 'del', 'zrem', 'evalsha'])(
      'a missing permission for %s is reported at startup',
      async (command) => {
        const everything = ['~*', '&*', '+@all']
        const denied = command === 'evalsha' ? ['-eval', '-evalsha'] : [`-${command}`]
        await admin.call('ACL', 'SETUSER', 'app', 'reset', 'on', '>hush-hush', ...everything, ...denied)
        const { text } = await ready(server.url.replace('//', '//app:hush-hush@'))
        expect(text).toMatch(/127\.0\.0\.1:\d+ does not let this user do what we need.*Allow it EVAL, EVALSHA/)
        expect(text).not.toContain('hush-hush')
      },
    )
  })
})
