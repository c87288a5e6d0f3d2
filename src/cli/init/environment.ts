import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { parseEnv } from 'node:util'
import type { NewSecrets } from '../new-secrets.js'
import { type Change, readIfThere, toChange } from './change.js'
import { maskSource } from './mask-source.js'
import type { Project } from './project.js'

const FILE = '.env'
const DEFAULT_PORT = 3000

/** Appends to `.env` what is missing there. What is set stays, whatever it is. @param port where the app listens */
export async function planEnvironment(
  project: Project,
  port: number,
  secrets: NewSecrets,
): Promise<Change | undefined> {
  const before = await readIfThere(project.folder, FILE)
  const set = parseEnv(before ?? '')
  const wanted: readonly (readonly [string, string])[] = [
    ['PPOPPO_CLIENT_ID', `${toId(project.name)}_login_client`],
    ['PPOPPO_BASE_URL', `http://localhost:${project.vite?.port ?? port}`],
    ['PPOPPO_ENVIRONMENT', 'local'],
    // With a session of its own the app signs the cookie itself.
    ...(project.hasSession ? [] : ([['PPOPPO_SESSION_SECRET', secrets.sessionSecret]] as const)),
    ['PPOPPO_VAULT_KEYS', secrets.vaultKey],
  ]
  const missing = wanted.filter(([name]) => set[name] === undefined).map(([name, value]) => `${name}=${value}`)
  if (missing.length === 0) return undefined
  const head = ['# Sign in with Ppoppo, against the sandbox on this machine: npx express-ppoppo sandbox']
  const lines = [...((before ?? '').trim() === '' ? [] : ['']), ...head, ...missing]
  const at = (before ?? '').split('\n').length
  return toChange({ file: FILE, before, insertions: [{ at, lines }], isSecret: true })
}

/** Adds `.env` to `.gitignore`, unless a line there, or further up in the repository, has it. @returns or a warning */
export async function planGitignore(project: Project): Promise<Change | string | undefined> {
  const verdicts: boolean[] = []
  for (let at = project.folder; ; at = dirname(at)) {
    const verdict = verdictOf((await readIfThere(at, '.gitignore')) ?? '', at === project.folder)
    if (verdict !== undefined) verdicts.push(verdict)
    if (existsSync(join(at, '.git')) || at === dirname(at)) break
  }
  // The nearest one that says something decides.
  const [nearest] = verdicts
  if (nearest === true) return undefined
  if (nearest === false) return '.gitignore exempts .env by a line with "!": the secrets in it would be committed'
  const before = await readIfThere(project.folder, '.gitignore')
  return toChange({
    file: '.gitignore',
    before,
    insertions: [{ at: (before ?? '').split('\n').length, lines: [FILE] }],
  })
}

/** `.env.*` is about other files. */
const IGNORES = /^(?:\*\*\/)?(?:\.env|\.env\*|\*\.env|\.\*)$/

/**
 * Whether the lines ignore `.env`, the last that is about it counts; `undefined` if none is.
 * @param isHere whether the file is in the folder of the app: a line that begins with a slash is about its own folder alone
 */
function verdictOf(text: string, isHere: boolean): boolean | undefined {
  const lines = text.split('\n').map((line) => line.trim())
  const last = lines.filter((line) => IGNORES.test(line.replace(isHere ? /^!?\/?/ : /^!/, ''))).at(-1)
  return last === undefined ? undefined : !last.startsWith('!')
}

/** `@acme/my shop` -> `my_shop`. */
function toId(name: string): string {
  const id = name
    .replace(/^@[^/]*\//, '')
    .replace(/[^\w-]+/g, '_')
    .replaceAll('-', '_')
  return id === '' ? 'app' : id.slice(0, 60)
}

/** The port in `app.listen(3000)` or `process.env.PORT || 3000`; not one in a comment. */
export function portIn(source: string): number {
  const masked = maskSource(source)
  const all = source.matchAll(/(?:\.listen\(\s*|PORT\b\W{0,6}(?:\|\||\?\?|,)\s*['"]?)(\d{2,5})/g)
  // Of `env['PORT']` only the brackets are left, of a comment nothing.
  const found = [...all].find(({ 0: text, index }) => masked.slice(index, index + text.length).trim() !== '')?.[1]
  const port = Number(found ?? DEFAULT_PORT)
  return port > 0 && port < 65_536 ? port : DEFAULT_PORT
}
