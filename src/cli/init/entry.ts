import { existsSync, readFileSync, statSync } from 'node:fs'
import { extname, join, posix } from 'node:path'
import { findMadeApps } from './made-apps.js'
import { maskSource } from './mask-source.js'
import type { Project } from './project.js'

const EXTENSIONS = ['ts', 'mts', 'cts', 'js', 'mjs', 'cjs']
const NAMES = ['app', 'server', 'index', 'main']
const FOLDERS = ['', 'src', 'lib', 'server', 'app']
/** Where builds go, and where their sources are. */
const BUILT = /^(?:\.\/)?(?:dist|build|out|lib)\//
/** What express-generator starts; it has no extension. */
const WWW = 'bin/www'
const MAX_BYTES = 1024 * 1024

/** The file that makes the Express app, or the Nest app. */
export interface Entry {
  /** Relative to the folder of the app, with `/`. */
  readonly file: string
  readonly source: string
  /** Whether it is written with `import`, or with `require`. */
  readonly style: 'import' | 'require'
}

/**
 * Finds the file with `express()`, or `NestFactory.create()`: what `main` and the scripts start, otherwise a usual name.
 * @param given by the user, relative to the folder
 * @returns or why there is none
 */
export function findEntry(project: Project, given: string | undefined): Entry | string {
  if (given !== undefined) {
    const entry = read(project, given)
    return entry ?? '--entry does not name a source file here that can be read'
  }
  const found = candidates(project).find(makesApp)
  return (
    found ??
    `no file with "${project.isNest ? 'NestFactory.create' : 'express'}()" was found; name it with --entry <file>, or write it first: express-ppoppo's README begins with one`
  )
}

/** The file to start: the one with the app, or, where that does not listen, the one that does (`app.js`, `server.js`). */
export function findStart(project: Project, entry: Entry): Entry {
  if (listens(entry)) return entry
  return candidates(project).find(listens) ?? entry
}

/** What `main` and the scripts start, then the usual names. */
function candidates(project: Project): readonly Entry[] {
  const usual = FOLDERS.flatMap((folder) =>
    NAMES.flatMap((name) => EXTENSIONS.map((ext) => posix.join(folder, `${name}.${ext}`))),
  )
  const started = [project.main, ...Object.values(project.scripts).flatMap(filesIn)].filter(
    (file) => file !== undefined,
  )
  return [...started.flatMap(sourcesOf), ...usual, WWW]
    .map((file) => read(project, file))
    .filter((entry) => entry !== undefined)
}

function listens({ source }: Entry): boolean {
  return /\.listen\s*\(/.test(maskSource(source))
}

function makesApp({ source }: Entry): boolean {
  return findMadeApps(source, maskSource(source)).length > 0
}

/** The files that a script names: `node --env-file=.env dist/server.js`. */
function filesIn(script: string): readonly string[] {
  return script.split(/\s/).filter((word) => /^[\w./][\w./-]*$/.test(word) && /\.[mc]?[jt]s$/.test(word))
}

/** A file, or what it is built from: `dist/server.js` from `src/server.ts` or `server.ts`. */
function sourcesOf(file: string): readonly string[] {
  const plain = posix.normalize(file)
  if (!BUILT.test(plain)) return [plain]
  const inner = plain.replace(BUILT, '')
  const typed = inner.replace(/\.([mc]?)js$/, '.$1ts')
  return [...['src/', ''].flatMap((folder) => [folder + typed, folder + inner]), plain.replace(/\.([mc]?)js$/, '.$1ts')]
}

function read({ folder, isModule }: Project, file: string): Entry | undefined {
  const path = join(folder, file)
  const isNamed = EXTENSIONS.includes(extname(file).slice(1)) || posix.normalize(file) === WWW
  const isSource = isNamed && !posix.normalize(file).startsWith('..')
  if (!isSource || !existsSync(path)) return undefined
  const { size } = statSync(path)
  if (size > MAX_BYTES) return undefined
  const source = readFileSync(path, 'utf8')
  return { file: posix.normalize(file), source, style: styleOf(file, maskSource(source), isModule) }
}

/** TypeScript is written with `import`, whatever it is compiled to. */
function styleOf(file: string, masked: string, isModule: boolean): Entry['style'] {
  if (/^[ \t]{0,40}(import|export)\b/m.test(masked) || /\.(mts|mjs)$/.test(file)) return 'import'
  if (/\brequire\s*\(/.test(masked) || file.endsWith('.cjs')) return 'require'
  return isModule || /\.[mc]?ts$/.test(file) ? 'import' : 'require'
}
