import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inspect } from 'node:util'
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals'
import { Cluster, Redis } from 'ioredis'
import { type Sandbox, startSandbox } from 'ppoppo-sandbox'
import type { PpoppoOptions } from '../../src/index.js'
import { reasonOf, toStoreError } from '../../src/store/redis/faults.js'
import { certificateFiles } from '../support/certificate.js'
import { faultsOf, PRODUCTION } from '../support/config.js'
import { faultOf } from '../support/readiness.js'
import { describeWithOwnRedis, findFreePort, type RedisServer, startRedis } from '../support/redis.js'
import { startCluster } from '../support/redis-topologies.js'
import { until } from '../support/until.js'

const PASSWORD = 'hush-hush'
describeWithOwnRedis('U9 auth.ready() reports a fault of Redis with place, cause and fix', () => {
  let sandbox: Sandbox
  const closeAfter: (() => unknown)[] = []
  beforeAll(async () => {
    sandbox = await startSandbox({ pasPort: 0 })
  })
  afterEach(async () => {
    for (const close of closeAfter.splice(0).reverse()) await close()
  })
  afterAll(() => sandbox.close())

  /** Expects that ready() fails, and says this. */
  async function expectFault(redis: NonNullable<PpoppoOptions['redis']>, expected: RegExp): Promise<void> {
    const { error, text } = await faultOf({ redis, issuer: sandbox.issuer }, expected)
    expect([error?.code, text]).toEqual(['store_unavailable', expect.stringMatching(expected)])
    expect(inspect(error, { depth: 9, showHidden: true })).not.toContain(PASSWORD)
  }
  async function start(...args: string[]): Promise<RedisServer> {
    const server = await startRedis({ args })
    closeAfter.push(() => server.stop())
    return server
  }
  function admin(server: RedisServer): Redis {
    const client = new Redis(server.url)
    client.on('error', () => {})
    closeAfter.push(() => client.disconnect())
    return client
  }
  const unconnected = (options: object): Redis => new Redis({ lazyConnect: true, password: PASSWORD, ...options })

  test('loading its data', async () => {
    const server = await start(
      ...['--enable-debug-command', 'yes', '--loading-process-events-interval-bytes', '1024', '--rdbcompression', 'no'],
    )
    const client = admin(server)
    for (let i = 0; i < 40; i++) await client.set(`k${i}`, 'x'.repeat(4096))
    await client.config('SET', 'key-load-delay', '300000') // microseconds a key
    client.call('DEBUG', 'RELOAD').catch(() => {}) // the server is stopped first
    const other = new Redis(server.url, { enableReadyCheck: false })
    closeAfter.push(() => other.disconnect())
    await until(async () => (await other.ping().catch((error: Error) => error.message)).startsWith('LOADING'))
    await expectFault(server.url, /127\.0\.0\.1:\d+ is loading its data from disk \(LOADING\)\. It will answer/)
  })

  test('unable to save to its disk', async () => {
    const server = await start()
    const client = admin(server)
    const [, folder = ''] = (await client.config('GET', 'dir')) as string[]
    await client.config('SET', 'save', '3600 1')
    rmSync(folder, { recursive: true })
    await client.set('x', '1')
    await client.bgsave().catch(() => {})
    await until(async () => (await client.info('persistence')).includes('rdb_last_bgsave_status:err'))
    await expectFault(server.url, /127\.0\.0\.1:\d+ takes no writes .*its disk \(MISCONF\)\. See its log/)
  })

  test('out of memory; a read-only replica', async () => {
    const server = await start('--maxmemory', '1')
    await expectFault(server.url, /has reached "maxmemory" \(OOM\)\. Give it more memory/)
    const replica = await start('--replicaof', '127.0.0.1 1')
    await expectFault(replica.url, /is a read-only replica \(READONLY\).*connect to the master/)
  })

  test('a missing password, a wrong one, missing permissions', async () => {
    const locked = await start('--requirepass', 'another')
    await expectFault(locked.url, /asks for a password, and none is configured \(NOAUTH\)\. Write it/)
    const wrong = locked.url.replace('//', `//:${PASSWORD}@`)
    await expectFault(wrong, /refuses the user name or password \(WRONGPASS\)\. Check/)
    const server = await start('--user', 'app', 'on', `>${PASSWORD}`, '~*', '&*', '+ping', '+client', '+info')
    const poor = server.url.replace('//', `//app:${PASSWORD}@`)
    await expectFault(poor, /does not let this user do what we need \(NOPERM\)\. Allow it EVAL/)
  })

  test('a Cluster that does not serve all slots: by client and by URL, from the start and after a loss', async () => {
    const lonely = await start('--cluster-enabled', 'yes')
    const down = /127\.0\.0\.1:\d+.* says that its Cluster is down: .*\(CLUSTERDOWN\)\. See "redis-cli --cluster check"/
    await expectFault(lonely.url, down)
    await expectFault(new Cluster([{ host: '127.0.0.1', port: lonely.port }], { lazyConnect: true }), down)
    const group = await startCluster()
    closeAfter.push(() => group.stop())
    const [first, , third] = group.servers
    await third?.kill()
    const client = new Redis(first?.port ?? 0, '127.0.0.1')
    closeAfter.push(() => client.disconnect())
    await until(async () => String(await client.cluster('INFO')).includes('cluster_state:fail'))
    await expectFault(new Cluster([{ host: '127.0.0.1', port: first?.port ?? 0 }], { lazyConnect: true }), down)
  })

  describe('a Unix socket', () => {
    const folder = mkdtempSync(join(tmpdir(), 'ppoppo-socket-'))
    const at = (name: string): string => join(folder, name)
    afterAll(() => rmSync(folder, { recursive: true }))

    test('that does not exist; that nobody listens on; that never answers', async () => {
      await expectFault(
        unconnected({ path: at('none.sock') }),
        /Redis at \/\S+none\.sock has a socket that cannot be opened \(ENOENT\)\. Check the path/,
      )
      writeFileSync(at('file'), '')
      await expectFault(
        unconnected({ path: at('file') }),
        /Redis at \/\S+file refuses connections \(ECONNREFUSED\)\. Check that it is up/,
      )
      const silent = createServer((socket) => void socket.on('error', () => {})).listen(at('silent.sock'))
      await once(silent, 'listening')
      closeAfter.push(() => silent.close())
      await expectFault(
        unconnected({ path: at('silent.sock') }),
        /Redis at \/\S+silent\.sock does not answer, or not in/,
      )
    })

    test('that this user may not open', () => {
      // Root, as whom this may run, may open all.
      const error = Object.assign(new Error('connect EACCES /run/redis.sock'), { code: 'EACCES' })
      const { message } = toStoreError('connect', error, 'Redis at /run/redis.sock')
      expect(message).toMatch(
        /\/run\/redis\.sock has a socket that cannot be opened \(EACCES\)\. .*rights of this user/,
      )
    })
  })

  test('TLS to a plain port, and plain to a TLS port', async () => {
    const files = certificateFiles()
    const tlsPort = await findFreePort()
    const certificate = ['--tls-cert-file', files.certificate, '--tls-key-file', files.key]
    const plain = await start('--tls-port', String(tlsPort), ...certificate, '--tls-auth-clients', 'no')
    files.remove()
    await expectFault(`rediss://127.0.0.1:${plain.port}`, /does not speak TLS\. Write redis:\/\//)
    await expectFault(`redis://127.0.0.1:${tlsPort}`, /speaks TLS, and we do not\. Write rediss:\/\//)
    await expectFault(`rediss://127.0.0.1:${tlsPort}`, /vouches for \(DEPTH_ZERO_SELF_SIGNED_CERT\)\. Name/)
  })

  test('an unknown host: by URL, in a Cluster, by Sentinels; a DNS that is down', async () => {
    const unknown = /no-such-host\.invalid:\d+.*(ENOTFOUND|EAI_AGAIN)\)\. Check/
    await expectFault(`redis://:${PASSWORD}@no-such-host.invalid:6379`, unknown)
    const nodes = [{ host: 'no-such-host.invalid', port: 7000 }]
    await expectFault(new Cluster(nodes, { lazyConnect: true }), unknown)
    await expectFault(unconnected({ sentinels: nodes, name: 'mine' }), unknown)
    const error = Object.assign(new Error('getaddrinfo EAI_AGAIN redis.internal'), { code: 'EAI_AGAIN' })
    const timeout = Object.assign(new Error('no connection in time'), { name: 'RedisTimeout' })
    const { message } = toStoreError('now', reasonOf(timeout, error), 'Redis at redis.internal:6379')
    expect(message).toContain(
      'Redis at redis.internal:6379 has a name that cannot be looked up now (EAI_AGAIN). Check the DNS',
    )
  })

  test('an invalid port: of a client, a Cluster, a URL', async () => {
    const none = /:99999 has a port that is none \(ERR_SOCKET_BAD_PORT\)\. Use one from 1 to 65535/
    await expectFault(unconnected({ port: 99_999 }), none)
    await expectFault(new Cluster([{ host: '127.0.0.1', port: 99_999 }], { lazyConnect: true }), none)
    const redis = `redis://:${PASSWORD}@localhost:99999`
    expect(faultsOf({ ...PRODUCTION, redis })).toEqual([expect.stringContaining('must have a port from 1 to 65535')])
  })
})
