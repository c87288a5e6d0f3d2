import { execFile } from 'node:child_process'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { beforeAll, expect, test } from '@jest/globals'
import { bundledLibraryForTests } from '../support/built-library.js'

const { exports: entries } = JSON.parse(
  await readFile(fileURLToPath(new URL('../../package.json', import.meta.url)), 'utf8'),
) as { exports: Readonly<Record<string, string | { readonly default: string }>> }

let library: string
beforeAll(async () => {
  library = await bundledLibraryForTests()
})

/** What a program prints that knows the folder of the library as `lib`, and which packages are `loaded()`. */
async function run(program: string, env: Readonly<Record<string, string>> = {}): Promise<string> {
  const script = `
    import { createRequire } from 'node:module'
    const lib = ${JSON.stringify(library)}
    const { cache } = createRequire(import.meta.url)
    const loaded = (...names) => names.filter((name) => Object.keys(cache).some((file) => file.includes(\`/node_modules/\${name}/\`)))
    ${program}`
  const args = ['--input-type=module', '-e', script]
  const { stdout } = await promisify(execFile)(process.execPath, args, { env: { PATH: process.env['PATH'], ...env } })
  return stdout.trim()
}

test('the bundle has a file for each entry of package.json', async () => {
  const files = Object.values(entries).map((entry) => (typeof entry === 'string' ? entry : entry.default))
  const there = await readdir(library, { recursive: true })
  expect(files.map((file) => file.replace('./dist/', '')).filter((file) => !there.includes(file))).toEqual([
    './package.json',
  ])
})

test('each entry of the bundle has the names of its source', async () => {
  for (const entry of ['index', 'messaging/index', 'testing/index', 'campaigns/index', 'observability/otel']) {
    const names = Object.keys(await import(`../../src/${entry}.ts`)).sort()
    expect(
      JSON.parse(await run(`console.log(JSON.stringify(Object.keys(await import(lib + '/${entry}.js')).sort()))`)),
    ).toEqual(names)
  }
})

test('all entries of the bundle share one copy of what they have in common', async () => {
  const program = `
    const { PpoppoError } = await import(lib + '/index.js')
    const { PpoppoError: inMessaging } = await import(lib + '/messaging/index.js')
    const { createMessagingDouble } = await import(lib + '/testing/index.js')
    const double = createMessagingDouble()
    double.fail('rate_limited')
    const error = await double.send({ templateId: 'order', recipients: [{ ppnum: '12312345678' }] }).catch((error) => error)
    console.log(PpoppoError === inMessaging, error instanceof PpoppoError)`
  expect(await run(program)).toBe('true true')
})

test('the bundle loads what it needs late no earlier than the sources do', async () => {
  const late = "'@grpc/grpc-js', '@grpc/proto-loader', 'bullmq', '@opentelemetry/api', 'react', 'ioredis'"
  expect(await run(`await import(lib + '/index.js'); console.log(loaded(${late}))`)).toBe('[]')
  const others = ['messaging/index', 'campaigns/index', 'observability/otel']
  for (const entry of others) {
    expect(
      await run(`await import(lib + '/${entry}.js'); console.log(loaded(${late}, 'express', 'openid-client'))`),
    ).toBe('[]')
  }
  expect(await run(`await import(lib + '/index.js'); console.log(loaded('express'))`)).toBe("[ 'express' ]")
})

test('the testing kit of the bundle does not load in production', async () => {
  const program = `await import(lib + '/testing/index.js').catch(({ code }) => console.log(code))`
  expect(await run(program, { NODE_ENV: 'production' })).toBe('config_invalid')
})

test('a stack from the bundle has the names of the sources', async () => {
  const program = `
    const { ppoppo } = await import(lib + '/index.js')
    try {
      ppoppo({})
    } catch ({ stack }) {
      console.log(stack)
    }`
  expect(await run(program)).toMatch(/at resolveConfig .*\n +at ppoppo /)
})

test('the command line of the bundle runs', async () => {
  const { stdout } = await promisify(execFile)(process.execPath, [join(library, 'cli/main.js'), '--help'])
  expect(stdout).toContain('Usage: express-ppoppo <command>')
})
