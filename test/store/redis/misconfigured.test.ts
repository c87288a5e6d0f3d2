import { createServer, type Server, type Socket } from 'node:net'
import { inspect } from 'node:util'
import { afterAll, afterEach, beforeAll, describe, expect, jest, test } from '@jest/globals'
import { Cluster, Redis } from 'ioredis'
import { Redis as Redis541 } from 'ioredis5-oldest'
import { isPpoppoError, type PpoppoError } from '../../../src/errors.js'
import type { RedisSource } from '../../../src/store/redis/client.js'
import { createRedisConsumerStore } from '../../../src/store/redis/consumer/consumer-store.js'
import { createRedisStore } from '../../../src/store/redis/redis-store.js'
import { certificateFiles, TEST_CERTIFICATE } from '../../support/certificate.js'
import { describeWithOwnRedis, findFreePort, type RedisServer, startRedis } from '../../support/redis.js'
import { type RedisGroup, startCluster, startSentinel } from '../../support/redis-topologies.js'
import { untilWorks } from '../../support/until.js'

const PASSWORD = 'hush-hush'

/** The error a user sees once it says what is expected; fails with what it says instead. */
async function errorOf(redis: RedisSource, expected: RegExp, isOfOneKey = false): Promise<PpoppoError> {
  const store = createRedisStore({ redis, prefix: 'p:' })
  let last: unknown
  try {
    await untilWorks(async () => {
      last = await store.sessions.set('s', '{}', 60).catch((error: unknown) => error)
      return isPpoppoError(last, 'store_unavailable') && expected.test(last.message)
    }).catch(() => {
      throw new Error(`not ${expected}, but ${inspect(last)}`)
    })
    // It stays so, for every key.
    for (const sid of isOfOneKey ? 's' : 'abcdefgh')
      await expect(store.sessions.set(sid, '{}', 60)).rejects.toThrow(expected)
  } finally {
    await store.close()
  }
  expect(inspect(last, { depth: 9, showHidden: true })).not.toContain(PASSWORD)
  return last as PpoppoError
}

describeWithOwnRedis('M18 the error for a Redis that is set up wrongly says what to do, never the password', () => {
  const files = certificateFiles()
  let plain: RedisServer
  let tls: RedisServer
  let admin: Redis
  const closeAfter: (() => Promise<unknown> | unknown)[] = []
  const url = (server: { port: number }, rest = '', scheme = 'redis'): string =>
    `${scheme}://127.0.0.1:${server.port}${rest}`

  beforeAll(async () => {
    plain = await startRedis()
    const tlsPort = await findFreePort()
    const certificate = ['--tls-cert-file', files.certificate, '--tls-key-file', files.key]
    const only = ['--port', '0', '--tls-port', String(tlsPort), '--tls-ca-cert-file', files.certificate]
    tls = await startRedis({ port: tlsPort, args: [...only, ...certificate, '--tls-auth-clients', 'no'] })
    admin = new Redis(plain.url)
  })
  afterEach(async () => {
    for (const close of closeAfter.splice(0).reverse()) await close()
  })
  afterAll(async () => {
    admin.disconnect()
    await plain.stop()
    await tls.stop()
    files.remove()
  })

  async function withUser(...rules: string[]): Promise<string> {
    await admin.call('ACL', 'SETUSER', 'app', 'reset', 'on', `>${PASSWORD}`, ...rules)
    return url(plain).replace('//', `//app:${PASSWORD}@`)
  }
  async function listening(onConnection: (socket: Socket) => void): Promise<{ port: number }> {
    const sockets = new Set<Socket>()
    const server: Server = createServer((socket) => {
      sockets.add(socket)
      socket.on('error', () => {})
      onConnection(socket)
    })
    const port = await findFreePort()
    await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
    closeAfter.push(() => {
      for (const socket of sockets) socket.destroy()
      return new Promise((resolve) => server.close(resolve))
    })
    return { port }
  }

  test('for a TLS port that is used without TLS', async () => {
    const error = await errorOf(url(tls), /speaks TLS, and we do not. Write rediss:\/\//)
    expect(error.message).toContain(`Redis at 127.0.0.1:${tls.port}`)
  })

  test('for rediss:// to a port without TLS', async () => {
    await errorOf(url(plain, '', 'rediss'), /does not speak TLS. Write redis:\/\//)
  })

  test('for a certificate that is not trusted, or is for another name', async () => {
    await errorOf(
      url(tls, '', 'rediss'),
      /nothing here vouches for \(DEPTH_ZERO_SELF_SIGNED_CERT\).*NODE_EXTRA_CA_CERTS/,
    )
    const here = new Redis({
      ...{ host: '127.0.0.1', port: tls.port, lazyConnect: true },
      tls: { ca: TEST_CERTIFICATE, servername: 'cache.example' },
    })
    await errorOf(here, /a certificate for another name \(ERR_TLS_CERT_ALTNAME_INVALID\)/)
  })

  test('with host, port and errno if nothing listens or the name is unknown', async () => {
    const port = await findFreePort()
    const refused = await errorOf(url({ port }), /refuses connections \(ECONNREFUSED\)/)
    expect(refused.message).toContain(`127.0.0.1:${port}`)
    const unknown = await errorOf('redis://no-such-host.invalid:6379', /has a name that .*\((ENOTFOUND|EAI_AGAIN)\)/)
    expect(unknown.message).toContain('no-such-host.invalid:6379')
  })

  test('for a server that says nothing, hangs up, or is not Redis', async () => {
    await errorOf(url(await listening(() => {})), /does not answer, or not in time/)
    await errorOf(url(await listening((socket) => socket.destroy())), /closes our connections/)
    await errorOf(url(await listening((socket) => socket.end('HTTP/1.1 400\r\n\r\n'))), /not as Redis does/)
  })

  test('for a missing and a wrong password', async () => {
    const locked = await startRedis({ args: ['--requirepass', 'another'] })
    closeAfter.push(() => locked.stop())
    await errorOf(url(locked), /asks for a password, and none is configured \(NOAUTH\)/)
    await errorOf(url(locked).replace('//', `//:${PASSWORD}@`), /refuses the user name or password \(WRONGPASS\)/)
  })

  test('and a percent-encoded user and password are decoded', async () => {
    await admin.call('ACL', 'SETUSER', 'a@b', 'reset', 'on', '>p/s:#%?', '~*', '&*', '+@all')
    const store = createRedisStore({ redis: url(plain).replace('//', '//a%40b:p%2Fs%3A%23%25%3F@'), prefix: 'p:' })
    closeAfter.push(() => store.close())
    await untilWorks(() => store.sessions.set('s', '{}', 60))
  })

  describe.each([
    ['a URL', (redisUrl: string): RedisSource => redisUrl],
    ['a client', (redisUrl: string): RedisSource => new Redis(redisUrl, { lazyConnect: true })],
    [
      'a client that asks for no check',
      (redisUrl: string): RedisSource => new Redis(redisUrl, { lazyConnect: true, enableReadyCheck: false }),
    ],
    [
      'a client of ioredis 5.4.1',
      (redisUrl: string): RedisSource =>
        new Redis541(redisUrl, { lazyConnect: true, enableReadyCheck: false }) as unknown as Redis,
    ],
  ])('%s', (_name, toSource) => {
    test('a database that does not exist is never mistaken for database 0', async () => {
      await admin.flushall()
      await errorOf(toSource(url(plain, '/99')), /no database of the number you configured.*redis:\/\/host\/0/)
      expect(await admin.dbsize()).toBe(0)
    })

    test('X10 a user without SELECT writes nothing into database 0, and calls work once it may', async () => {
      await admin.flushall()
      const source = toSource(`${await withUser('~*', '&*', '+@all', '-select')}/1`)
      await errorOf(source, /does not let this user SELECT.*\+select, or use database 0/)
      expect(await admin.dbsize()).toBe(0)
      const store = createRedisStore({ redis: source, prefix: 'p:' })
      closeAfter.push(() => store.close())
      await store.sessions.set('s', '{}', 60).catch(() => {})
      await withUser('~*', '&*', '+@all')
      await untilWorks(() => store.sessions.set('s', '{}', 60))
      expect(await admin.dbsize()).toBe(0)
      expect(await admin.info('keyspace')).toContain('db1:keys=1')
    })
  })

  test("X10 a denial inside a script is blamed on the user's rights, not on an unreachable Redis", async () => {
    await errorOf(await withUser('~*', '&*', '+@all', '-set'), /does not let this user do what we need.*EVALSHA/)
    await errorOf(await withUser('~*', '&*', '+@all', '-eval', '-evalsha'), /does not let this user.*NOPERM/)
    await errorOf(await withUser('~other:*', '&*', '+@all'), /does not let this user.*"keyPrefix"/)
  })

  test('X10 a user without INFO is served, and nothing is printed', async () => {
    const warn = jest.spyOn(console, 'warn')
    const store = createRedisStore({ redis: await withUser('~*', '&*', '+@all', '-info', '-config'), prefix: 'p:' })
    closeAfter.push(() => store.close())
    await untilWorks(() => store.sessions.set('s', '{}', 60))
    expect(warn).not.toHaveBeenCalled()
    warn.mockRestore()
  })

  test('for a Redis out of memory, unable to save, with too few replicas, or that is a replica', async () => {
    const set = (name: string, value: string): Promise<unknown> => admin.config('SET', name, value)
    await set('maxmemory', '1')
    await errorOf(url(plain), /has reached "maxmemory" \(OOM\)/)
    await set('maxmemory', '0')
    await set('min-replicas-to-write', '1')
    await errorOf(url(plain), /min-replicas-to-write.*\(NOREPLICAS\)/)
    await set('min-replicas-to-write', '0')
    await admin.replicaof('127.0.0.1', 1)
    await errorOf(url(plain), /read-only replica \(READONLY\)/)
    await set('replica-serve-stale-data', 'no')
    await errorOf(url(plain), /lost its master \(MASTERDOWN\)/)
    await admin.replicaof('NO', 'ONE')
  })

  test('for a Redis with too many clients', async () => {
    const full = await startRedis({ args: ['--maxclients', '1'] })
    closeAfter.push(() => full.stop())
    const only = new Redis(full.url)
    await untilWorks(async () => (await only.ping()) === 'PONG')
    await errorOf(full.url, /takes no more connections/)
    only.disconnect()
  })

  test('for a key of another type, because something else uses the prefix', async () => {
    await admin.flushall()
    await admin.lpush('p:sess:s', 'x')
    await errorOf(url(plain), /another kind under one of our keys \(WRONGTYPE\).*"keyPrefix"/, true)
    await admin.flushall()
  })

  describe('a Cluster', () => {
    let group: RedisGroup
    beforeAll(async () => {
      group = await startCluster()
    })
    afterAll(() => group.stop())

    test('the URL of one node is refused, even for keys that this node has', async () => {
      const error = await errorOf(`redis://127.0.0.1:${group.ports[0]}`, /one node of a Redis Cluster.*new Cluster\(/)
      expect(error.message).toContain(`127.0.0.1:${group.ports[0]}`)
      await errorOf(`redis://127.0.0.1:${group.ports[0]}/1`, /one node of a Redis Cluster/)
    })

    test('the URL of one node is refused for consumers too', async () => {
      const consumers = createRedisConsumerStore({ redis: `redis://127.0.0.1:${group.ports[1]}`, prefix: 'p:' })
      closeAfter.push(() => consumers.close())
      await expect(consumers.acquire('n', 'h', 1000)).rejects.toThrow(/one node of a Redis Cluster/)
    })

    test('nodes that are not nodes, or that refuse the client, are named', async () => {
      const notOne = new Cluster([{ host: '127.0.0.1', port: plain.port }], { lazyConnect: true })
      await errorOf(notOne, /is not a Redis Cluster. Pass a redis:\/\/ URL/)
      const locked = await startRedis({ args: ['--requirepass', 'another', '--cluster-enabled', 'yes'] })
      closeAfter.push(() => locked.stop())
      const error = await errorOf(
        new Cluster([`redis://:${PASSWORD}@127.0.0.1:${locked.port}`], { lazyConnect: true }),
        /refuses the user name or password/,
      )
      expect(error.message).toContain(`The Redis Cluster at 127.0.0.1:${locked.port}`)
      const port = await findFreePort()
      await errorOf(new Cluster([{ host: '127.0.0.1', port }], { lazyConnect: true }), /refuses connections/)
    })
  })

  test('and the URL of a Cluster of a single node works, since it has all keys', async () => {
    const group = await startCluster({ masters: 1 })
    closeAfter.push(() => group.stop())
    const store = createRedisStore({ redis: `redis://127.0.0.1:${group.ports[0]}`, prefix: 'p:' })
    closeAfter.push(() => store.close())
    await untilWorks(() => store.sessions.set('s', '{}', 60))
  })

  test('for Sentinels that do not know the master, want a password, or are not there', async () => {
    const group = await startSentinel('mine', { password: 'another' })
    closeAfter.push(() => group.stop())
    const behind = (options: object): Redis =>
      new Redis({
        ...{ sentinels: [{ host: '127.0.0.1', port: group.ports[0] ?? 0 }], name: 'mine' },
        ...{ sentinelPassword: 'another', password: 'another', lazyConnect: true, ...options },
      })
    const error = await errorOf(behind({ name: 'yours' }), /no Sentinel answers, or none knows it.*"name"/)
    expect(error.message).toContain(`"yours" (Sentinels: 127.0.0.1:${group.ports[0]})`)
    await errorOf(behind({ sentinelPassword: PASSWORD }), /Sentinels refuse the password/)
    await errorOf(behind({ password: PASSWORD }), /refuses the user name or password/)
    await errorOf(
      behind({ sentinels: [{ host: '127.0.0.1', port: await findFreePort() }] }),
      /no Sentinel answers.*\(ECONNREFUSED\)/,
    )
  })
})
