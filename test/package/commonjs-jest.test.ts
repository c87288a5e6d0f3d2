import { execFile } from 'node:child_process'
import { cp, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import ts from 'typescript'
import { bundledLibraryForTests, libraryForTests } from '../support/built-library.js'

const ROOT = fileURLToPath(new URL('../../', import.meta.url))
const run = promisify(execFile)

/** A project of somebody who tests in CommonJS: the library is installed in it, and all of its dependencies. */
let project: string
beforeAll(async () => {
  project = await mkdtemp(join(tmpdir(), 'ppoppo-jest-'))
  const modules = join(project, 'node_modules')
  await mkdir(modules)
  const names = await readdir(join(ROOT, 'node_modules'))
  for (const name of names) {
    if (name !== 'express-ppoppo') await symlink(join(ROOT, 'node_modules', name), join(modules, name))
  }
  const home = join(modules, 'express-ppoppo')
  await cp(await bundledLibraryForTests(), join(home, 'dist'), { recursive: true })
  await cp(join(ROOT, 'package.json'), join(home, 'package.json'))
  await writeFile(join(project, 'package.json'), '{"name":"shop","version":"1.0.0"}')
})
afterAll(() => rm(project, { recursive: true, force: true }))

/** The recipes in the documentation. */
async function recipes(): Promise<readonly string[]> {
  const page = await readFile(join(ROOT, 'docs/bundlers-and-jest.md'), 'utf8')
  return [...page.matchAll(/```js\n(\/\/ jest\.config\.js\n[^`]*)```/g)].map(([, found = '']) => found)
}

const SHOP_TEST = `
const express = require('express')
const request = require('supertest')
const { ppoppo } = require('express-ppoppo')
const { createMessaging } = require('express-ppoppo/messaging')

test('a visitor is not signed in, and a message without a server is an error of the library', async () => {
  const settings = { baseUrl: 'http://localhost:3000', clientId: 'shop_login_client', environment: 'local' }
  const secrets = { sessionSecret: 'k2Vd8sQx0mZpW4tR7yHb1nLc5fGj9aUe', vaultKeys: 'k1:9vT3qLx8WcR1mZ0pYb7nKd5sHg2fJaUeQiOrXtVwBxM=' }
  const app = express().use(ppoppo({ ...settings, ...secrets }))
  expect((await request(app).get('/auth/session')).body).toEqual({ signedIn: false })

  const messaging = createMessaging({ apiUrl: 'http://127.0.0.1:1', clientId: 'a', clientSecret: 'b', tokenUrl: 'http://127.0.0.1:1/token' })
  const sending = messaging.send({ templateId: 'tpl', recipients: [{ ppnum: '12312345678' }] }, { deadlineMs: 5_000 })
  await expect(sending).rejects.toMatchObject({ code: 'messaging_unavailable' })
  await messaging.close()
})
`

const GUARDED_TEST = `
const express = require('express')
const request = require('supertest')
const { ppoppo } = require('express-ppoppo')
const { signInAs } = require('express-ppoppo/testing')

test('a guarded route is tested in five lines', async () => {
  const auth = ppoppo({ clientId: 'shop_login_client', baseUrl: 'http://localhost:3000' })
  const app = express().use(auth).get('/me', auth.requireSignIn(), (req, res) => res.json(req.ppoppo.user))
  const agent = request.agent(app)
  await signInAs(agent, { sub: 'kim', ppnum: '12312345678' })
  expect((await agent.get('/me').expect(200)).body).toEqual({ sub: 'kim', ppnum: '12312345678' })
})
`

/** In TypeScript, without what Node's own types would have to say. */
const TYPED_TEST = `
import { PpoppoError, parsePpnum } from 'express-ppoppo'
import { createMessagingDouble } from 'express-ppoppo/testing'

test('errors are of one class in all parts', async () => {
  const messaging = createMessagingDouble()
  messaging.fail('rate_limited')
  const sending: Promise<unknown> = messaging.send({ templateId: 'order', recipients: [{ ppnum: parsePpnum('12312345678') }] })
  await expect(sending).rejects.toBeInstanceOf(PpoppoError)
})
`

/** Folders of the project, each with a Jest of its own, and the recipe for it: they run at once. */
const PROJECTS: readonly (readonly [string, number, Readonly<Record<string, string>>])[] = [
  ['nothing but Jest', 0, { 'shop.test.js': SHOP_TEST, 'guarded.test.js': GUARDED_TEST }],
  ['ts-jest', 1, { 'typed.test.ts': TYPED_TEST, 'guarded.test.js': GUARDED_TEST }],
  ['@swc/jest', 2, { 'typed.test.ts': TYPED_TEST, 'guarded.test.js': GUARDED_TEST }],
]
const TSCONFIG = JSON.stringify({
  compilerOptions: {
    module: 'commonjs',
    moduleResolution: 'bundler',
    target: 'es2022',
    esModuleInterop: true,
    isolatedModules: true,
    types: [],
  },
})

test.each(PROJECTS)(
  "an app's own CommonJS Jest runs with the recipe of the documentation: %s",
  async (name, index, files) => {
    const folder = join(project, name.replace(/\W/g, '-'))
    await mkdir(folder)
    const config = (await recipes())[index] ?? ''
    const written = { ...files, 'jest.config.js': config, 'tsconfig.json': TSCONFIG, 'package.json': '{"name":"shop"}' }
    for (const [file, text] of Object.entries(written)) await writeFile(join(folder, file), text)
    const { NODE_OPTIONS: _, ...env } = process.env
    const jest = join(project, 'node_modules/jest/bin/jest.js')
    const { stderr } = await run(process.execPath, [jest, '--ci', '--runInBand', '--forceExit'], {
      cwd: folder,
      env: { ...env, CI: 'true' },
      timeout: 170_000,
    }).catch((error: { stderr: string; stdout: string }) => ({ stderr: `${error.stdout}\n${error.stderr}` }))
    expect(stderr).toContain('2 passed, 2 total')
  },
)

/** What no CommonJS can have: `import.meta`, and `await` at the top of a module. */
function untranslatableIn(file: string, text: string): readonly string[] {
  const found: string[] = []
  const parsed = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true)
  const visit = (node: ts.Node, isTop: boolean): void => {
    if (ts.isMetaProperty(node) && node.keywordToken === ts.SyntaxKind.ImportKeyword) found.push(`${file}: import.meta`)
    if (ts.isAwaitExpression(node) && isTop) found.push(`${file}: await at the top`)
    ts.forEachChild(node, (child) => visit(child, isTop && !ts.isFunctionLike(node)))
  }
  visit(parsed, true)
  return found
}

test('nothing of the library resists being made CommonJS, but its command line', async () => {
  const library = await libraryForTests()
  const files = (await readdir(library, { recursive: true })).filter((file) => file.endsWith('.js'))
  const found: string[] = []
  for (const file of files) found.push(...untranslatableIn(file, await readFile(join(library, file), 'utf8')))
  expect(found.filter((line) => !line.startsWith('cli/'))).toEqual([])
  expect(found.length).toBeGreaterThan(0)
})
