import { spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { rm, writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from '@jest/globals'
import { startSandbox } from 'ppoppo-sandbox'
import { ERROR_CATALOGUE } from '../src/index.js'
import { createMessaging, type MessagingOptions } from '../src/messaging/index.js'
import { CookieBrowser } from './support/cookie-browser.js'
import { findFreePort } from './support/redis.js'

const root = new URL('../', import.meta.url)
const readme = readFileSync(new URL('README.md', root), 'utf8')

/** The rows of the table under a heading, cells trimmed, head and rule left out. */
function tableUnder(heading: string): readonly (readonly string[])[] {
  const section = readme.split(/^## /m).find((part) => part.startsWith(`${heading}\n`)) ?? ''
  const rows = section.split('\n').filter((line) => line.startsWith('|'))
  return rows.slice(2).map((row) =>
    row
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim()),
  )
}

/** The first program under a heading; under none: the first there is. */
function programUnder(heading: string): string {
  const section = readme.split(/^## /m).find((part) => part.startsWith(heading)) ?? ''
  return /```ts\n([\s\S]*?)```/.exec(section)?.[1] ?? ''
}

interface Program {
  /** Resolves when what it printed so far matches. */
  prints(pattern: RegExp): Promise<void>
  /** @returns its exit code; what has ended already stays as it ended */
  kill(signal?: NodeJS.Signals): Promise<number | null>
}

/** Runs a program in the repository, where the package's own name resolves, with nothing of ours in its environment. */
async function run(program: string, env: NodeJS.ProcessEnv): Promise<Program> {
  const file = fileURLToPath(new URL(`test/readme-${randomUUID()}.mjs`, root))
  await writeFile(file, program)
  const child = spawn(process.execPath, [file], {
    env: { ...process.env, REDIS_URL: '', NODE_ENV: '', NODE_OPTIONS: '--no-warnings', ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const exited = once(child, 'exit').then(() => rm(file))
  let printed = ''
  child.stdout.on('data', (chunk: Buffer) => {
    printed += chunk
  })
  return {
    async prints(pattern) {
      while (!pattern.test(printed)) {
        if (child.exitCode !== null) throw new Error(`the program ended with ${child.exitCode}`)
        await Promise.race([once(child.stdout, 'data'), exited])
      }
    },
    async kill(signal = 'SIGKILL') {
      if (child.exitCode === null) child.kill(signal)
      await exited
      return child.exitCode
    },
  }
}

describe('README', () => {
  test('its error table is the catalogue', () => {
    const told = tableUnder('Errors').map(([code, status, retry, meaning]) => ({ code, status, retry, meaning }))
    const known = Object.entries(ERROR_CATALOGUE).map(([code, { status, retryable, meaning }]) => ({
      code: `\`${code}\``,
      status: String(status),
      retry: retryable ? 'yes' : 'no',
      meaning,
    }))
    expect(told).toEqual(known)
  })

  test('its option table names every option and variable there is', () => {
    const optionsFile = readFileSync(new URL('src/config/options.ts', root), 'utf8')
    const declared = /export interface PpoppoOptions(?:<[^{]*>)? \{([\s\S]*?)\n\}/.exec(optionsFile)?.[1] ?? ''
    const options = [...declared.matchAll(/^ {2}readonly (\w+)\?/gm)].map(([, name]) => name)
    const variables = new Set([...declared.matchAll(/`((?:PPOPPO|REDIS|PCS|PAS)_[A-Z_]+)/g)].map(([, name]) => name))
    const rows = tableUnder('Options')
    expect(rows.map(([option]) => /`(\w+)/.exec(option ?? '')?.[1])).toEqual(options)
    const named = rows.flatMap(([, variable]) => [...(variable ?? '').matchAll(/`([A-Z_]+)/g)].map(([, name]) => name))
    expect(new Set(named)).toEqual(variables)
    expect(variables.size).toBeGreaterThan(8)
  })

  test('C47 SECURITY.md states lifetimes, parallel sessions, the threat model and the provider’s deviation', () => {
    const security = readFileSync(new URL('SECURITY.md', root), 'utf8')
    for (const heading of ['Threat model', 'Lifetimes', 'Where the provider departs from the standards']) {
      expect(security).toContain(`\n## ${heading}\n`)
    }
    for (const fact of [
      '10 minutes, once',
      '30 days without use',
      '180 days in all',
      'up to 100 browsers at once',
      'RFC 9700',
    ]) {
      expect(security).toContain(fact)
    }
  })

  test('its first program on Express 4 answers 503 while PAS does, and goes on', async () => {
    const port = await findFreePort()
    const sandbox = await startSandbox({ pasPort: 0, autoSignIn: 'alex' })
    const onExpress4 = programUnder('').replaceAll('3000', String(port)).replace("from 'express'", "from 'express4'")
    const program = await run(`${onExpress4}\nconsole.log('ready')\n`, { PPOPPO_AUTH_URL: sandbox.issuer })
    try {
      await program.prints(/ready/)
      const browser = new CookieBrowser()
      expect((await browser.go(`http://localhost:${port}/me`)).status).toBe(200)
      sandbox.control.inject({ endpoint: 'userinfo', fault: { kind: 'status', status: 503 }, times: 'until-cleared' })
      expect((await browser.visit(`http://localhost:${port}/me`)).status).toBe(503)
      expect((await browser.visit(`http://localhost:${port}/`)).text).toBe('Hello 77700000001')
    } finally {
      await program.kill()
      await sandbox.close()
    }
  })

  test('its first program signs a person in', async () => {
    const port = await findFreePort()
    const sandbox = await startSandbox({ pasPort: 0, autoSignIn: 'alex' })
    const onOurPort = programUnder('').replaceAll('3000', String(port))
    const program = await run(`${onOurPort}\nconsole.log('ready')\n`, { PPOPPO_AUTH_URL: sandbox.issuer })
    try {
      await program.prints(/ready/)
      const browser = new CookieBrowser()
      const me = await browser.go(`http://localhost:${port}/me`)
      expect(JSON.parse(me.text)).toMatchObject({ ppnum: '77700000001' })
      expect((await browser.visit(`http://localhost:${port}/`)).text).toBe('Hello 77700000001')
    } finally {
      await program.kill()
      await sandbox.close()
    }
  })

  test('its consumer handles deliveries, and ends well at SIGTERM', async () => {
    const sandbox = await startSandbox({ pasPort: 0, pcsPort: 0, pcsStepMs: 10 })
    const { url, tokenUrl, clientId, clientSecret } = sandbox.pcs ?? {}
    const save = 'const save = async (...of) => console.log(...of)\n'
    const credentials = { PAS_PCS_CLIENT_ID: clientId, PAS_PCS_CLIENT_SECRET: clientSecret }
    const program = await run(save + programUnder('Delivery events'), {
      PCS_API_URL: url,
      PAS_TOKEN_URL: tokenUrl,
      ...credentials,
    })
    const messaging = createMessaging({ apiUrl: url, tokenUrl, clientId, clientSecret } as MessagingOptions)
    try {
      const recipients = [{ ppnum: '12300000001', vars: { name: 'Alex' } }]
      await messaging.send({ templateId: 'tpl_sandbox_welcome', recipients })
      await program.prints(/ recipient_delivered 12300000001\n/)
      await program.prints(/ request_completed undefined\n/)
      expect(await program.kill('SIGTERM')).toBe(0)
    } finally {
      await program.kill()
      await messaging.close()
      await sandbox.close()
    }
  })
})
