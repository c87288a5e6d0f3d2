import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { findPackage } from '../../doctor/packages.js'
import { isPlainObject, parseJsonObject } from '../../lib/guards.js'
import { importsPackage } from './imports-package.js'
import { findVite, type ViteServer } from './vite.js'

/** A package manager. */
export type PackageManager = 'npm' | 'pnpm' | 'yarn' | 'bun'

/** What kind of app it is. */
export interface Project {
  readonly folder: string
  /** Of package.json; `'app'` without one. */
  readonly name: string
  readonly manager: PackageManager
  readonly isTypeScript: boolean
  /** `"type": "module"`. */
  readonly isModule: boolean
  /** Major version of Express. */
  readonly express: 4 | 5
  /** NestJS, which brings Express. */
  readonly isNest: boolean
  /** Vite's development server, if the browser asks that. */
  readonly vite: ViteServer | undefined
  /** Whether it has a session of its own, by express-session. */
  readonly hasSession: boolean
  readonly hasPassport: boolean
  /** cookie-session, whose session the library cannot use. */
  readonly hasCookieSession: boolean
  readonly scripts: Readonly<Record<string, string>>
  readonly main: string | undefined
  /** What it depends on, of any kind. */
  readonly dependencies: ReadonlySet<string>
}

const LOCK_FILES: readonly (readonly [string, PackageManager])[] = [
  ['pnpm-lock.yaml', 'pnpm'],
  ['pnpm-workspace.yaml', 'pnpm'],
  ['yarn.lock', 'yarn'],
  ['bun.lock', 'bun'],
  ['bun.lockb', 'bun'],
  ['package-lock.json', 'npm'],
]

const ON_FASTIFY = 'this NestJS app does not use Express: install "@nestjs/platform-express" and create the app on it'

/** Looks at a folder. @returns or what is missing */
export function inspectProject(folder: string): Project | string {
  const manifest = readManifest(folder)
  if (manifest === 'none') return 'there is no package.json here; run it in the folder of your app'
  if (manifest === 'unreadable') return 'package.json is not JSON'
  const ranges = rangesOf(manifest)
  const isNest = ranges.has('@nestjs/core')
  if (isNest && !ranges.has('@nestjs/platform-express')) return ON_FASTIFY
  const range = ranges.get('express') ?? (isNest ? '5' : undefined)
  if (range === undefined) return withoutExpress(manifest)
  const { name, type, main, scripts } = manifest
  return {
    folder,
    name: typeof name === 'string' ? name : 'app',
    manager: managerOf(folder),
    isTypeScript: ranges.has('typescript') || existsSync(join(folder, 'tsconfig.json')),
    isModule: type === 'module',
    express: majorOf(findPackage('express', folder)?.version ?? range),
    isNest,
    vite: findVite(folder),
    hasSession: ranges.has('express-session') && importsPackage(folder, 'express-session'),
    hasPassport: ranges.has('passport'),
    hasCookieSession: ranges.has('cookie-session'),
    scripts: onlyTexts(scripts),
    main: typeof main === 'string' ? main : undefined,
    dependencies: new Set(ranges.keys()),
  }
}

function readManifest(folder: string): Readonly<Record<string, unknown>> | 'none' | 'unreadable' {
  const file = join(folder, 'package.json')
  if (!existsSync(file)) return 'none'
  return parseJsonObject(readFileSync(file, 'utf8').replace(/^\uFEFF/, '')) ?? 'unreadable'
}

function withoutExpress(manifest: Readonly<Record<string, unknown>>): string {
  const isWorkspace = manifest['workspaces'] !== undefined
  const where = isWorkspace ? '; this is the root of a workspace: run it in the package of the Express app' : ''
  return `"express" is not in the dependencies of package.json${where || '; install it first, and create an app'}`
}

function rangesOf(manifest: Readonly<Record<string, unknown>>): ReadonlyMap<string, string> {
  const kinds = ['dependencies', 'devDependencies', 'peerDependencies', 'optionalDependencies']
  return new Map(kinds.flatMap((kind) => Object.entries(onlyTexts(manifest[kind]))))
}

function onlyTexts(value: unknown): Readonly<Record<string, string>> {
  const entries = isPlainObject(value) ? Object.entries(value) : []
  return Object.fromEntries(entries.filter((entry): entry is [string, string] => typeof entry[1] === 'string'))
}

/** `packageManager` or a lock file, here or further up: in a monorepo they are at its root. */
function managerOf(folder: string): PackageManager {
  for (let at = folder; ; at = dirname(at)) {
    const manifest = readManifest(at)
    const given = typeof manifest === 'object' ? manifest['packageManager'] : undefined
    const named = /^(npm|pnpm|yarn|bun)@/.exec(typeof given === 'string' ? given : '')?.[1]
    const locked = LOCK_FILES.find(([file]) => existsSync(join(at, file)))?.[1]
    if (named !== undefined) return named as PackageManager
    if (locked !== undefined) return locked
    // Nothing above a repository belongs to it.
    if (existsSync(join(at, '.git')) || at === dirname(at)) return 'npm'
  }
}

function majorOf(version: string): 4 | 5 {
  return /(?:^|[^\d.])4(?:\.|$)/.test(version) ? 4 : 5
}

/** The command that adds packages. */
export function toInstallCommand(manager: PackageManager, names: readonly string[], isDev = false): string {
  const verb = manager === 'npm' ? 'install' : 'add'
  const dev = isDev ? (manager === 'npm' ? ' --save-dev' : ' -D') : ''
  return `${manager} ${verb}${dev} ${names.join(' ')}`
}
