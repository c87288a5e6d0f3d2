import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { NewSecrets } from '../new-secrets.js'
import { type Change, toChange } from './change.js'
import { type Mounting, planMounting } from './edit-entry.js'
import { type Entry, findEntry, findStart } from './entry.js'
import { planEnvironment, planGitignore, portIn } from './environment.js'
import { maskSource } from './mask-source.js'
import { inspectProject, type PackageManager, type Project, toInstallCommand } from './project.js'

/** What `init` would do to an app. */
export interface Plan {
  readonly project: Project
  readonly entry: Entry | undefined
  readonly changes: readonly Change[]
  /** What is left to its owner: the two lines, and where they go. */
  readonly manual: Manual | undefined
  readonly warnings: readonly string[]
  /** Commands to run afterwards. */
  readonly next: readonly string[]
}

/** Two lines that are not inserted, because their place is not certain. */
export interface Manual {
  readonly file: string
  readonly lines: readonly string[]
  readonly why: string
}

/** What a plan is made from. */
export interface PlanParts {
  readonly folder: string
  /** The file with the app, if the user names it. */
  readonly entry: string | undefined
  readonly secrets: NewSecrets
}

/** Looks at an app, and plans. Writes nothing. @returns or why there is nothing to plan */
export async function planInit({ folder, entry: given, secrets }: PlanParts): Promise<Plan | string> {
  const project = inspectProject(folder)
  if (typeof project === 'string') return project
  const entry = findEntry(project, given)
  if (typeof entry === 'string') return entry
  const mounting = isMounted(project, entry) ? undefined : toMounting(project, entry)
  const gitignore = await planGitignore(project)
  const start = findStart(project, entry)
  const port = portIn(`${start.source}\n${entry.source}`)
  const environment = await planEnvironment(project, port, secrets)
  const changes = [
    ...mountingChanges(project, mounting),
    ...(environment ? [environment] : []),
    ...(typeof gitignore === 'object' ? [gitignore] : []),
  ]
  const warnings = [...(typeof gitignore === 'string' ? [gitignore] : []), ...(mounting ? pathWarnings(entry) : [])]
  return { project, entry, changes, manual: toManual(entry, mounting), warnings, next: nextSteps(project, start, port) }
}

/** The library answers before the app's own routes do. */
function pathWarnings({ source }: Entry): readonly string[] {
  const own = /['"`](\/auth(?:\/(?:login|callback|logout|session))?)['"`]/.exec(source)?.[1]
  if (own === undefined) return []
  return [`the app already has something at ${own}: if that is a route, give ppoppo() another "mountPath"`]
}

/** Whether the app uses the library already: in its entry, or by the module that an earlier run wrote. */
function isMounted({ folder }: Project, { file, source }: Entry): boolean {
  const text = `${source}`
  if (/['"]express-ppoppo['"]/.test(text)) return true
  const masked = maskSource(source)
  const isImported = /['"]\.\/(ppoppo-)?auth(\.[mc]?[jt]s)?['"]/.test(text) && existsSync(join(folder, file))
  return isImported && /\.use\(\s*(auth|ppoppoAuth)\s*\)/.test(masked)
}

/** A module that an earlier run wrote is used again. */
function toMounting(project: Project, entry: Entry): Mounting {
  return planMounting(project, entry, (file) => existsSync(join(project.folder, file)) && !isOurs(project, file, entry))
}

function isOurs(project: Project, file: string, entry: Entry): boolean {
  const found = findEntry(project, file)
  return typeof found === 'object' && found.file !== entry.file && /['"]express-ppoppo['"]/.test(found.source)
}

function mountingChanges({ folder }: Project, mounting: Mounting | undefined): readonly Change[] {
  if (mounting === undefined) return []
  const { file, text, entry } = mounting
  const lines = text.replace(/\n$/, '').split('\n')
  const created = toChange({ file, before: undefined, insertions: [{ at: 0, lines }] })
  return [...(existsSync(join(folder, file)) ? [] : [created]), ...(entry ? [entry] : [])]
}

function toManual({ file }: Entry, mounting: Mounting | undefined): Manual | undefined {
  if (mounting?.manual === undefined) return undefined
  return { file, lines: [mounting.importText, mounting.useText], why: mounting.manual }
}

function nextSteps(project: Project, start: Entry, port: number): readonly string[] {
  const { manager, dependencies, isTypeScript } = project
  const missing = (names: readonly string[]): readonly string[] => names.filter((name) => !dependencies.has(name))
  const needed = missing(['express-ppoppo', 'express-session', 'ioredis'])
  const types = isTypeScript ? ['@types/express', '@types/express-session'] : []
  const dev = missing(['ppoppo-sandbox', ...types])
  return [
    ...(needed.length > 0 ? [toInstallCommand(manager, needed)] : []),
    ...(dev.length > 0 ? [toInstallCommand(manager, dev, true)] : []),
    `${runnerOf(manager)} express-ppoppo sandbox   # in a second terminal`,
    ...viteSteps(project, port),
    ...startSteps(project, start),
    `${runnerOf(manager)} express-ppoppo doctor    # when something does not work`,
  ]
}

function runnerOf(manager: PackageManager): string {
  return { npm: 'npx', pnpm: 'pnpm exec', yarn: 'yarn', bun: 'bunx' }[manager]
}

/** Without it the browser gets Vite's page for `/auth/login`. */
function viteSteps({ vite }: Project, port: number): readonly string[] {
  if (vite === undefined || vite.hasAuth) return []
  return [`in ${vite.file}, let Vite pass the routes on: proxy: { '/auth': 'http://localhost:${port}' }`]
}

function startSteps(
  { isTypeScript, isNest, manager, dependencies }: Project,
  { file, source }: Entry,
): readonly string[] {
  if (isNest)
    return [
      `${runnerOf(manager)} nest start --env-file .env`,
      'guards, errors and e2e tests are in node_modules/express-ppoppo/docs/nestjs.md',
    ]
  if (isTypeScript && dependencies.has('tsx')) return [`${runnerOf(manager)} tsx --env-file=.env ${file}`]
  if (isTypeScript) return ['start the app with the variables of .env: node --env-file=.env <the compiled file>']
  // An app that loads .env itself needs no flag.
  return [/['"]dotenv(\/config)?['"]/.test(source) ? `node ${file}` : `node --env-file=.env ${file}`]
}
