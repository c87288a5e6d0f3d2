import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { build } from 'esbuild'
import { type Sandbox, startSandbox } from 'ppoppo-sandbox'
import webpack from 'webpack'
import { bundledLibraryForTests } from '../support/built-library.js'

const APP = fileURLToPath(new URL('bundled-app.mjs', import.meta.url))
/** What esbuild's ES modules need for any package that is CommonJS, Express included. */
const BANNER = "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);"

/** What is loaded when it is first needed. */
const LATE = ['@grpc/grpc-js', '@grpc/proto-loader', 'ioredis']

let library: string
/** What a bundle lacks it cannot find here, nor above. */
let folder: string
let entry: string
let sandbox: Sandbox
beforeAll(async () => {
  library = await bundledLibraryForTests()
  folder = await mkdtemp(join(tmpdir(), 'ppoppo-bundles-'))
  for (const name of LATE) {
    await mkdir(join(folder, 'node_modules', name), { recursive: true })
    await writeFile(join(folder, 'node_modules', name, 'package.json'), '{"main":"not-there.js"}')
  }
  // Beside the library, so that Express is found when it is bundled.
  entry = join(library, 'bundled-app.mjs')
  const app = await readFile(APP, 'utf8')
  await writeFile(
    entry,
    app
      .replace("'express-ppoppo'", `'${library}/index.js'`)
      .replace("'express-ppoppo/messaging'", `'${library}/messaging/index.js'`),
  )
  sandbox = await startSandbox({ pasPort: 0, pcsPort: 0 })
})
afterAll(async () => {
  await sandbox.close()
  await rm(folder, { recursive: true, force: true })
})

/** Runs it, and returns what it told. */
async function run(file: string): Promise<Readonly<Record<string, unknown>>> {
  const { pcs } = sandbox
  const { stdout } = await promisify(execFile)(process.execPath, [join(folder, file)], {
    cwd: folder,
    env: {
      PATH: process.env['PATH'],
      PCS_API_URL: pcs?.url,
      PAS_TOKEN_URL: pcs?.tokenUrl,
      PAS_PCS_CLIENT_ID: pcs?.clientId,
      PAS_PCS_CLIENT_SECRET: pcs?.clientSecret,
    },
    timeout: 120_000,
  })
  return Object.assign({}, ...stdout.split('\n').map((line) => (line === '' ? {} : JSON.parse(line))))
}

async function withEsbuild(outfile: string, more: Parameters<typeof build>[0]): Promise<readonly string[]> {
  const { warnings } = await build({
    entryPoints: [entry],
    bundle: true,
    platform: 'node',
    logLevel: 'silent',
    outfile: join(folder, outfile),
    ...more,
  })
  return warnings.map(({ text }) => text)
}

/** @returns what it complains of in the library's own files */
function withWebpack(filename: string, isModule: boolean): Promise<readonly string[]> {
  return new Promise((resolve, reject) => {
    webpack(
      {
        mode: 'production',
        target: 'node',
        entry,
        optimization: { minimize: false },
        performance: false,
        experiments: isModule ? { outputModule: true } : {},
        output: { path: folder, filename, ...(isModule ? { module: true, chunkFormat: 'module' } : {}) },
      },
      (error, stats) => {
        if (error || stats === undefined || stats.hasErrors()) return reject(error ?? new Error(stats?.toString()))
        const { warnings = [] } = stats.toJson({ all: false, warnings: true })
        resolve(
          warnings.filter(({ moduleName = '' }) => moduleName.includes('ppoppo-bundled')).map(({ message }) => message),
        )
      },
    )
  })
}

const STARTS = { session: { signedIn: false } }
const ALL_FOUND = { ...STARTS, send: 'queued', redis: 'loaded' }
const notFound = (name: string) => ({
  name: 'PpoppoError',
  code: 'config_invalid',
  message: expect.stringMatching(`^The package ${name} cannot be loaded. .*mark express-ppoppo as external`),
})

describe('a bundle of an app', () => {
  test('by esbuild as CommonJS has all it needs: gRPC, the proto, ioredis', async () => {
    expect(await withEsbuild('es.cjs', { format: 'cjs' })).toEqual([])
    expect(await run('es.cjs')).toEqual(ALL_FOUND)
  })

  test('by esbuild as ES module has, too', async () => {
    expect(await withEsbuild('es.mjs', { format: 'esm', banner: { js: BANNER } })).toEqual([])
    expect(await run('es.mjs')).toEqual(ALL_FOUND)
  })

  test.each([
    ['CommonJS', 'webpack.cjs', false],
    ['ES module', 'webpack.mjs', true],
  ])('by webpack as %s has, too', async (_format, file, isModule) => {
    expect(await withWebpack(file, isModule)).toEqual([])
    expect(await run(file)).toEqual(ALL_FOUND)
  })

  test('that leaves packages out says so where they are not there', async () => {
    await withEsbuild('without.cjs', { format: 'cjs', external: LATE })
    expect(await run('without.cjs')).toEqual({
      ...STARTS,
      send: notFound('@grpc/proto-loader'),
      redis: notFound('ioredis'),
    })
  })
})
