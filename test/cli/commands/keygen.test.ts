import { readFileSync } from 'node:fs'
import { describe, expect, test } from '@jest/globals'
import { COMMANDS, run } from '../../../src/cli/commands.js'
import type { CliIo } from '../../../src/cli/io.js'
import { resolveConfig } from '../../../src/config/config.js'

/** Runs a command line and keeps what it printed. */
async function runCli(...args: string[]): Promise<{ code: number; out: string[]; err: string[] }> {
  const out: string[] = []
  const err: string[] = []
  const io: CliIo = {
    print: (line) => out.push(line),
    printError: (line) => err.push(line),
    env: {},
    now: () => new Date('2026-11-20T23:59:59Z'),
  }
  return { code: await run(args, io), out, err }
}

function toEnv(lines: readonly string[]): Record<string, string> {
  return Object.fromEntries(lines.map((line) => line.split(/=(.*)/s).slice(0, 2)))
}

describe('express-ppoppo keygen', () => {
  test('C27 prints two variables that production accepts', async () => {
    const { code, out, err } = await runCli('keygen')
    expect([code, err]).toEqual([0, []])
    expect(out).toEqual([
      expect.stringMatching(/^PPOPPO_SESSION_SECRET=[\w-]{64}$/),
      expect.stringMatching(/^PPOPPO_VAULT_KEYS=k20261120:[A-Za-z0-9+/]{43}=$/),
    ])
    const config = resolveConfig(
      {},
      {
        ...toEnv(out),
        NODE_ENV: 'production',
        PPOPPO_CLIENT_ID: 'acme_login_client',
        PPOPPO_BASE_URL: 'https://app.example',
        REDIS_URL: 'redis://localhost',
      },
    )
    expect(config.vaultKeys?.map((key) => [key.id, key.secret.length])).toEqual([['k20261120', 32]])
  })

  test('prints new values every time', async () => {
    const runs = await Promise.all(Array.from({ length: 20 }, () => runCli('keygen')))
    expect(new Set(runs.flatMap((one) => one.out)).size).toBe(40)
  })

  test('uses the given id', async () => {
    expect((await runCli('keygen', '--id', 'blue_2')).out[1]).toMatch(/^PPOPPO_VAULT_KEYS=blue_2:/)
  })

  test.each([[['--id', 'a:b']], [['--id']], [['--ids', 'x']], [['s3cr3t-argument']]])(
    'rejects %j without quoting it',
    async (args) => {
      const { code, out, err } = await runCli('keygen', ...args)
      expect([code, out, err.length]).toEqual([2, [], 1])
      expect(err[0]).not.toMatch(/a:b|s3cr3t/)
    },
  )

  test('--help prints the usage', async () => {
    expect((await runCli('keygen', '--help')).out[0]).toContain('Usage: express-ppoppo keygen')
  })
})

describe('express-ppoppo command line', () => {
  test('--help, and no command at all, list every command', async () => {
    for (const args of [[], ['--help'], ['-h'], ['help']]) {
      const { code, out } = await runCli(...args)
      expect(code).toBe(0)
      for (const [name, { summary }] of Object.entries(COMMANDS))
        expect(out[0]).toMatch(new RegExp(`  ${name} +${summary}`))
    }
  })

  test('--version prints the version of the package', async () => {
    const manifest = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string }
    expect((await runCli('--version')).out).toEqual([manifest.version])
  })

  test('an unknown command is reported in one line with the nearest known one', async () => {
    expect(await runCli('keygne')).toEqual({
      code: 2,
      out: [],
      err: ['express-ppoppo: "keygne" is not a command; did you mean "keygen"?'],
    })
    expect((await runCli('toString')).err[0]).toMatch(/"toString" is not a command; known are: /)
    expect((await runCli('--verbose')).code).toBe(2)
  })

  test('a command that throws is reported in one line, with exit code 1', async () => {
    const err: string[] = []
    const io: CliIo = { print: () => undefined, printError: (line) => err.push(line), env: {}, now: () => new Date() }
    const broken = { summary: 'breaks', run: () => Promise.reject(new Error('no Redis')) }
    expect(await run(['broken'], io, { broken })).toBe(1)
    expect(err).toEqual(['express-ppoppo broken: no Redis'])
  })
})
