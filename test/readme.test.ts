import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { rm, writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from '@jest/globals'
import { startSandbox } from 'ppoppo-sandbox'
import { ERROR_CATALOGUE } from '../src/index.js'
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
    const optionsFile = readFileSync(new URL('src/options.ts', root), 'utf8')
    const declared = /export interface PpoppoOptions \{([\s\S]*?)\n\}/.exec(optionsFile)?.[1] ?? ''
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
    for (const heading of ['What is protected, and from whom', 'Lifetimes', 'What the provider does otherwise']) {
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

  test('its first program signs a person in', async () => {
    const [, program = ''] = /```ts\n([\s\S]*?)```/.exec(readme) ?? []
    const port = await findFreePort()
    const sandbox = await startSandbox({ pasPort: 0, autoSignIn: 'alex' })
    const file = fileURLToPath(new URL(`test/readme-${port}.mjs`, root))
    const onOurPort = program.replaceAll('3000', String(port))
    await writeFile(file, `${onOurPort}\nconsole.log('ready')\n`)
    const child = spawn(process.execPath, [file], {
      env: { ...process.env, PPOPPO_AUTH_URL: sandbox.issuer, REDIS_URL: '', NODE_ENV: '', NODE_OPTIONS: '' },
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    try {
      await new Promise<void>((resolve, reject) => {
        child.stdout.once('data', () => resolve())
        child.once('exit', (code) => reject(new Error(`the program ended with ${code}`)))
      })
      const browser = new CookieBrowser()
      const me = await browser.go(`http://localhost:${port}/me`)
      expect(JSON.parse(me.text)).toMatchObject({ ppnum: '77700000001' })
      expect((await browser.visit(`http://localhost:${port}/`)).text).toBe('Hello 77700000001')
    } finally {
      child.kill('SIGKILL')
      await rm(file)
      await sandbox.close()
    }
  })
})
