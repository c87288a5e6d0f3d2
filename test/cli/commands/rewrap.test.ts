import { randomBytes } from 'node:crypto'
import { beforeAll, expect, test } from '@jest/globals'
import { run } from '../../../src/cli/commands.js'
import { systemRuntime } from '../../../src/lib/runtime.js'
import { createRedisStore } from '../../../src/store/redis/redis-store.js'
import { createKeyRing } from '../../../src/vault/keyring.js'
import { createVault } from '../../../src/vault/vault.js'
import { describeWithRedis, redisForTests, type TestRedis } from '../../support/redis.js'

const CLIENT = 'acme_login_client'
const keyText = (id: string): string => `${id}:${randomBytes(32).toString('base64')}`
const toKeys = (...texts: string[]) =>
  texts.map((text) => ({ id: text.split(':')[0] ?? '', secret: Buffer.from(text.split(':')[1] ?? '', 'base64') }))

async function runCli(
  args: string[],
  env: Record<string, string>,
): Promise<{ code: number; out: string[]; err: string[] }> {
  const out: string[] = []
  const err: string[] = []
  const io = {
    print: (line: string) => out.push(line),
    printError: (line: string) => err.push(line),
    env,
    now: () => new Date(),
  }
  return {
    code: await run(['rewrap', ...args], {
      ...io,
      print: (l) => void io.print(l),
      printError: (l) => void io.printError(l),
    }),
    out,
    err,
  }
}

describeWithRedis('express-ppoppo rewrap', () => {
  let redis: TestRedis
  beforeAll(async () => {
    redis = await redisForTests()
  })

  /** Two sign-ins under the key `former`, in a Redis seen through `prefix`. */
  async function signIns(prefix: string, former: string) {
    const store = createRedisStore({ redis: redis.url, prefix: `${prefix}${CLIENT}:` })
    const vaultWith = (...texts: string[]) => {
      const ring = createKeyRing({ keys: toKeys(...texts), clientId: CLIENT, runtime: systemRuntime })
      const config = { clientId: CLIENT, idleMs: 60_000, absoluteMs: 90_000 }
      return createVault({ config, store, keyRing: async () => ring, runtime: systemRuntime, raise: () => {} })
    }
    const tokens = { accessToken: 'at_1', expiresAt: Date.now(), refreshToken: 'rt_1' }
    const person = {
      sub: '01J9Z3K8Q2W4E6R8T0Y2V4X6A1',
      ppnum: '77700000001',
      userAgent: '',
      scopes: ['openid'],
      tokens,
    }
    await store.now().catch(() => store.now())
    const begunAt = Date.now() + 60_000
    const made = [await vaultWith(former).create(person, begunAt), await vaultWith(former).create(person, begunAt)]
    return { store, vaultWith, ids: made.map((one) => one?.id ?? '') }
  }

  test('C26 rewrap re-encrypts all sign-ins with the first key and keeps their expiry; a second run finds nothing to do', async () => {
    const [former, latter, prefix] = [keyText('former'), keyText('latter'), redis.prefix()]
    const { store, vaultWith, ids } = await signIns(prefix, former)
    const env = {
      PPOPPO_CLIENT_ID: CLIENT,
      PPOPPO_BASE_URL: 'https://app.example',
      REDIS_URL: redis.url,
      PPOPPO_VAULT_KEYS: `${latter},${former}`,
    }
    const args = ['--key-prefix', prefix]
    const ttls = () =>
      Promise.all(ids.map((id) => redis.client.pttl(`${prefix}${CLIENT}:signin:{${id.replace('.', '}:')}`)))
    expect(await runCli([...args, '--dry-run'], env)).toEqual({
      code: 0,
      out: ['2 seen, 2 would be rewrapped, 0 unreadable'],
      err: [],
    })
    expect(await vaultWith(latter).read(ids[0] ?? '')).toBeUndefined()
    expect(await runCli(args, env)).toEqual({ code: 0, out: ['2 seen, 2 rewrapped, 0 unreadable'], err: [] })
    for (const id of ids) expect((await vaultWith(latter).read(id))?.tokens.refreshToken).toBe('rt_1')
    for (const ttl of await ttls()) {
      expect(ttl).toBeGreaterThan(30_000)
      expect(ttl).toBeLessThanOrEqual(60_000)
    }
    expect((await runCli(args, env)).out).toEqual(['2 seen, 0 rewrapped, 0 unreadable'])

    // A16: it would be written for ever, were it taken for version 1.
    const [key, third] = [`${prefix}${CLIENT}:signin:{${(ids[0] ?? '').replace('.', '}:')}`, keyText('third')]
    const record = (await redis.client.get(key)) ?? ''
    await redis.client.set(key, `0${record}`, 'KEEPTTL')
    const damaged = await runCli(args, { ...env, PPOPPO_VAULT_KEYS: `${third},${latter}` })
    expect([damaged.code, damaged.out]).toEqual([1, ['2 seen, 1 rewrapped, 1 unreadable']])
    expect(damaged.err[0]).toContain('damaged')
    await runCli(args, { ...env, PPOPPO_VAULT_KEYS: `${latter},${third}` })
    await redis.client.set(key, record, 'KEEPTTL')

    const without = await runCli(args, { ...env, PPOPPO_VAULT_KEYS: former })
    expect([without.code, without.out]).toEqual([1, ['2 seen, 0 rewrapped, 2 unreadable']])
    expect(without.err[0]).toMatch(/2 of 2 records are damaged or do not decrypt with any of the keys/)
    expect(await vaultWith(latter).list('01J9Z3K8Q2W4E6R8T0Y2V4X6A1')).toHaveLength(2)
    await store.close()
  })

  test.each([
    [{ PPOPPO_VAULT_KEYS: keyText('k1') }, /REDIS_URL is not set/],
    [{ REDIS_URL: 'redis://127.0.0.1:1' }, /PPOPPO_VAULT_KEYS is not set/],
    [
      { REDIS_URL: 'redis://127.0.0.1:1', PPOPPO_VAULT_KEYS: 'k1:c2hvcnQ=' },
      /PPOPPO_VAULT_KEYS\) must be base64 of exactly 32/,
    ],
  ])('C27 with %j missing or wrong: one clear message, exit code 2', async (env, message) => {
    const { code, out, err } = await runCli([], {
      PPOPPO_CLIENT_ID: CLIENT,
      PPOPPO_BASE_URL: 'https://app.example',
      ...env,
    })
    expect([code, out]).toEqual([2, []])
    expect(err.join('\n')).toMatch(message)
    expect(err.join('\n')).not.toContain('c2hvcnQ')
  })

  test('--help prints the usage, and unknown arguments are rejected without quoting them', async () => {
    expect((await runCli(['--help'], {})).out[0]).toContain('Usage: express-ppoppo rewrap')
    const { code, err } = await runCli(['--s3cret'], {})
    expect([code, err.length]).toEqual([2, 1])
    expect(err[0]).not.toContain('s3cret')
  })

  test('C37 a Redis that is down is reported in one line, with exit code 1', async () => {
    const env = {
      PPOPPO_CLIENT_ID: CLIENT,
      PPOPPO_BASE_URL: 'https://app.example',
      REDIS_URL: 'redis://127.0.0.1:1',
      PPOPPO_VAULT_KEYS: keyText('k1'),
    }
    const { code, err } = await runCli([], env)
    expect(code).toBe(1)
    expect(err[0]).toMatch(/^express-ppoppo rewrap: The store operation "scanSignIns" failed/)
  })
})
