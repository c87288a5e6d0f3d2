import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll } from '@jest/globals'
import { transform } from '@swc/core'

const SOURCE = fileURLToPath(new URL('../../src/', import.meta.url))
const CACHE = fileURLToPath(new URL('../../node_modules/.cache/', import.meta.url))

let folder: Promise<string> | undefined
afterAll(async () => {
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
