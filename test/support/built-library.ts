import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { transform } from '@swc/core'

const SOURCE = fileURLToPath(new URL('../../src/', import.meta.url))
const CACHE = fileURLToPath(new URL('../../node_modules/.cache/', import.meta.url))

/** A compiled copy of `src`, for Node processes without Jest. */
export interface BuiltLibrary {
  /** Of `index.js`. */
  readonly path: string
  remove(): Promise<void>
}

/** Compiles without checking types, so it needs no build before it. Lies where dependencies can be resolved. */
export async function buildLibrary(): Promise<BuiltLibrary> {
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
  return { path: join(folder, 'index.js'), remove: () => rm(folder, { recursive: true, force: true }) }
}
