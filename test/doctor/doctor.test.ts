import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { type Sandbox, startSandbox } from 'ppoppo-sandbox'
import { doctor } from '../../src/cli/commands/doctor.js'
import { checkConfig } from '../../src/doctor/check-config.js'
import { readSetup } from '../../src/doctor/setup.js'
import { isInRange } from '../../src/doctor/versions.js'
import { type Ppoppo, ppoppo } from '../../src/index.js'
import { allowed } from '../support/allowed.js'
import { DEV } from '../support/config.js'
import { findFreePort } from '../support/redis.js'

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'ppoppo-doctor-'))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

async function run(
  args: readonly string[],
  env: NodeJS.ProcessEnv = {},
): Promise<{ code: number; out: string; err: string }> {
  const [out, err]: [string[], string[]] = [[], []]
  const io = { print: (line: string) => void out.push(line), printError: (line: string) => void err.push(line) }
  const code = await doctor(args, { ...io, env, now: () => new Date() }, folder, '24.11.0')
  return { code, out: out.join('\n'), err: err.join('\n') }
}

describe('express-ppoppo doctor', () => {
  test.each([
    [['--jsno']],
    [['hunter2-pasted']],
    [['--timeout', '0']],
    [['--timeout', '61']],
    [['--env-file', '']],
    [['--cookie-name', 'x', '--app-session']],
  ])('refuses %j in one line that repeats none of it', async (args) => {
    const { code, out, err } = await run(args)
    expect([code, out]).toEqual([2, ''])
    expect(err).toMatch(/^express-ppoppo doctor: takes --json, .*; see --help$/)
    expect(err).not.toContain('hunter2')
  })

  test('rejects an --env-file that does not exist; prints its help', async () => {
    expect(await run(['--env-file', 'nothing.env'])).toEqual({
      code: 2,
      out: '',
      err: 'express-ppoppo doctor: --env-file cannot be read (ENOENT)',
    })
    expect((await run(['--help'])).out).toMatch(/^Usage: express-ppoppo doctor/)
  })

  test('with nothing reachable ends in time with exit code 2, and names each thing once', async () => {
    const silent = createServer((socket) => void socket.on('error', () => {})).listen(0, '127.0.0.1')
    await once(silent, 'listening')
    try {
      for (const port of [await findFreePort(), (silent.address() as AddressInfo).port]) {
        const address = `http://127.0.0.1:${port}`
        const env = {
          PPOPPO_CLIENT_ID: 'shop_login_client',
          PPOPPO_BASE_URL: 'http://localhost:3000',
          PPOPPO_AUTH_URL: address,
          REDIS_URL: `redis://127.0.0.1:${port}`,
          PCS_API_URL: address,
          PAS_TOKEN_URL: `${address}/token`,
          PAS_PCS_CLIENT_ID: 'external',
          PAS_PCS_CLIENT_SECRET: 'not-to-be-printed',
        }
        const startedAt = performance.now()
        const { code, out } = await run(['--timeout', '1'], env)
        expect(performance.now() - startedAt).toBeLessThan(await allowed(8_000))
        expect(code).toBe(2)
        for (const found of ['redis_unreachable', 'provider_unreachable', 'messaging_token_unreachable'])
          expect(out.split(`[${found}]`).length).toBe(2)
        expect(out).toMatch(/\n3 errors, 0 warnings, \d+ ok, 3 not checked\.$/)
        expect(out).not.toContain('not-to-be-printed')
      }
    } finally {
      silent.close()
    }
  })

  test('reads .env, and what is set wins; text names why, fix and page of a fault', async () => {
    writeFileSync(join(folder, '.env'), 'PPOPPO_CLIENT_ID=shop_login_client\nPPOPPO_BASE_URL=http://shop.example\n')
    const { out } = await run(['--timeout', '1'], { PPOPPO_AUTH_URL: 'http://127.0.0.1:1', PPOPPO_CLIENT_ID: 'a b' })
    expect(out).toMatch(
      /^1 variable from \.env, 1 more was set already\n\nConfiguration\n {2}ERROR {2}"clientId" \(PPOPPO_CLIENT_ID\) must be/,
    )
    expect(out).toMatch(/\[base_url_http\]\n {9}fix {3}Set PPOPPO_BASE_URL to https:\/\/shop\.example;/)
    expect(out).toContain('docs  pkg:npm/express-ppoppo#docs/doctor/base_url_http.md')
    for (const line of out.split('\n')) expect(line.length).toBeLessThanOrEqual(100)
  })

  test('finds hosts of two environments, weak secrets and a shared memory store, without network calls', () => {
    const codes = (env: Record<string, string>): string[] =>
      checkConfig(readSetup({}, { PPOPPO_CLIENT_ID: 'x', PPOPPO_BASE_URL: 'http://localhost:3000', ...env }))
        .filter(({ level }) => level !== 'ok')
        .map(({ code }) => code)
    const client = { PAS_PCS_CLIENT_ID: 'external', PAS_PCS_CLIENT_SECRET: 'secret' }
    expect(codes({ PPOPPO_ENVIRONMENT: 'sandbox', PPOPPO_AUTH_URL: 'https://accounts.ppoppo.com' })).toEqual([
      'environment_mixed',
    ])
    expect(codes({ ...client, PCS_API_URL: 'https://api.sandbox.ppoppo.com/ext' })).toEqual(['environment_mixed'])
    expect(codes(client)).toEqual([])
    expect(codes({ PPOPPO_SESSION_SECRET: 'ab'.repeat(20) })).toEqual(['session_secret_weak'])
    expect(codes({ PPOPPO_VAULT_KEYS: `k1:${Buffer.alloc(32).toString('base64')}` })).toEqual(['vault_keys_weak'])
    expect(codes({ NODE_APP_INSTANCE: '1' })).toEqual(['memory_store_shared'])
  })
})

test('the ranges of our package.json are understood', () => {
  const range = '^4.21.0 || ^5.0.0'
  expect(['4.21.0', '4.22.3', '5.3.0'].map((one) => isInRange(one, range))).toEqual([true, true, true])
  expect(['4.20.9', '3.9.9', '6.0.0', 'next', ''].map((one) => isInRange(one, range))).toEqual(Array(5).fill(false))
  expect(['6.3.2', '6.3.3', '6.9.0', '7.0.0'].map((one) => isInRange(one, '>=6.3.3 <7'))).toEqual([
    false,
    true,
    true,
    false,
  ])
})

describe('auth.diagnose()', () => {
  let sandbox: Sandbox
  let auth: Ppoppo
  beforeAll(async () => {
    sandbox = await startSandbox({ pasPort: 0 })
    auth = ppoppo({ ...DEV, issuer: sandbox.issuer, mountPath: '/in', onEvent: () => {} })
  })
  afterAll(async () => {
    await auth.close()
    await sandbox.close()
  })

  test('returns findings about the options that are set in code', async () => {
    const { findings } = await auth.diagnose()
    const of = (code: string): unknown => findings.find((one) => one.code === code)
    expect(of('callback')).toMatchObject({
      level: 'ok',
      what: expect.stringContaining('http://localhost:3000/in/callback'),
    })
    expect(findings.filter(({ level }) => level === 'error')).toEqual([])
  })

  test('rejects an unknown option and an invalid timeout', async () => {
    await expect(auth.diagnose({ timeout: 1 } as object)).rejects.toThrow(/auth\.diagnose: "timeout" is not an option/)
    await expect(auth.diagnose({ timeoutMs: 0 })).rejects.toThrow(/"timeoutMs" must be a positive number/)
  })
})
