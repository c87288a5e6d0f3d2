import { spawn } from 'node:child_process'
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll } from '@jest/globals'
import { transform } from '@swc/core'
import { bundleLibrary } from '../../scripts/lib/bundle.mjs'

const SOURCE = fileURLToPath(new URL('../../src/', import.meta.url))
const EXIT_LIMIT_MS = 60_000
const CACHE = fileURLToPath(new URL('../../node_modules/.cache/', import.meta.url))

let folder: Promise<string> | undefined
const bundles: string[] = []
afterAll(async () => {
  for (const bundled of bundles) await rm(bundled, { recursive: true, force: true })
  if (folder !== undefined) await rm(await folder, { recursive: true, force: true })
})

/**
 * The folder of a compiled copy of `src`, for Node processes without Jest: one for each test file, gone at its end.
 * Compiles without checking types, so it needs no build before it. Lies where dependencies can be resolved.
 */
export function libraryForTests(): Promise<string> {
  folder ??= buildLibrary()
  return folder
}

/** The folder of the library as it is published, and as {@link libraryForTests} in all else. */
export async function bundledLibraryForTests(): Promise<string> {
  await mkdir(CACHE, { recursive: true })
  const bundled = await mkdtemp(join(CACHE, 'ppoppo-bundled-'))
  bundles.push(bundled)
  // Bundlers read `sideEffects`, too.
  await writeFile(join(bundled, 'package.json'), '{"type":"module","sideEffects":false}')
  await bundleLibrary(SOURCE, bundled)
  return bundled
}

/** Runs a program in the folder of {@link libraryForTests} and waits until it ends by itself, for a minute at most. */
export async function runProgram(program: string): Promise<{ code: number | null; output: string }> {
  const file = join(await libraryForTests(), `program-${process.hrtime.bigint()}.js`)
  await writeFile(file, program)
  const child = spawn(process.execPath, [file], { stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += chunk))
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      child.kill('SIGKILL')
      reject(new Error(`still running after ${EXIT_LIMIT_MS} ms; output: ${output}`))
    }, EXIT_LIMIT_MS)
    child.once('close', (code) => {
      clearTimeout(timer)
      resolve({ code, output })
    })
  })
}

async function buildLibrary(): Promise<string> {
  await mkdir(CACHE, { recursive: true })
  const folder = await mkdtemp(join(CACHE, 'ppoppo-library-'))
  await writeFile(join(folder, 'package.json'), '{"type":"module"}')
  const files = (await readdir(SOURCE, { recursive: true })).filter((file) => file.endsWith('.ts'))
  for (const file of files) {
    const { code } = await transform(await readFile(join(SOURCE, file), 'utf8'), {
      jsc: { target: 'es2023', parser: { syntax: 'typescript' } },
      module: { type: 'es6' },
    })
    const target = join(folder, file.replace(/\.ts$/, '.js'))
    await mkdir(dirname(target), { recursive: true })
    await writeFile(target, code)
  }
  return folder
}
