/*
 * Worker and server as programs: compiled from today's sources, beside a compiled copy of the library with its package.json and
 * proto files, so that Node resolves `express-ppoppo/messaging` as it does for everybody. Needs no build before it.
 */
import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { transform } from '@swc/core'

const ROOT = join(import.meta.dirname, '../..')
/** Here, and not in /tmp: dependencies are looked for in the folders above. */
const CACHE = join(ROOT, 'node_modules/.cache')

export interface BuiltExample {
  /** Of `worker.js`. */
  readonly path: string
  /** Of `server.js`. */
  readonly serverPath: string
  remove(): Promise<void>
}

export async function buildExample(): Promise<BuiltExample> {
  await mkdir(CACHE, { recursive: true })
  const folder = await mkdtemp(join(CACHE, 'example-app-'))
  const library = join(folder, 'node_modules/express-ppoppo')
  await compile(join(ROOT, 'src'), join(library, 'dist'))
  await cp(join(ROOT, 'package.json'), join(library, 'package.json'))
  await cp(join(ROOT, 'proto'), join(library, 'proto'), { recursive: true })
  await compile(join(ROOT, 'example-app/src'), join(folder, 'dist'))
  for (const assets of ['views', 'public']) {
    await cp(join(ROOT, 'example-app', assets), join(folder, assets), { recursive: true })
  }
  await writeFile(join(folder, 'package.json'), '{"type":"module"}')
  return {
    path: join(folder, 'dist/worker.js'),
    serverPath: join(folder, 'dist/server.js'),
    remove: () => rm(folder, { recursive: true, force: true }),
  }
}

async function compile(from: string, to: string): Promise<void> {
  const files = (await readdir(from, { recursive: true })).filter((file) => file.endsWith('.ts'))
  for (const file of files) {
    const { code } = await transform(await readFile(join(from, file), 'utf8'), {
      jsc: { target: 'es2023', parser: { syntax: 'typescript' } },
      module: { type: 'es6' },
    })
    const target = join(to, file.replace(/\.ts$/, '.js'))
    await mkdir(dirname(target), { recursive: true })
    await writeFile(target, code)
  }
}
