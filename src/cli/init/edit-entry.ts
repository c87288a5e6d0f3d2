import { posix } from 'node:path'
import { type Change, type Insertion, toChange } from './change.js'
import type { Entry } from './entry.js'
import { findPlace, type Place } from './find-place.js'
import { maskSource } from './mask-source.js'
import type { Project } from './project.js'

/** The auth module, and the two lines that mount it. */
export interface Mounting {
  /** The file of the module, relative to the folder of the app. */
  readonly file: string
  readonly text: string
  readonly importText: string
  readonly useText: string
  /** The entry with the two lines. */
  readonly entry?: Change
  /** Why the entry is not edited, and where the lines go instead. */
  readonly manual?: string
}

/** How a file is written. */
interface Style {
  readonly quote: string
  readonly end: string
}

/** The mounting for an entry. @param exists whether there is a file of that name */
export function planMounting(project: Project, entry: Entry, exists: (file: string) => boolean): Mounting {
  const style = styleOf(entry.source)
  const file = nameModule(entry, exists)
  // Not to be mistaken for something of the app's own.
  const local = /\bauth\b/.test(maskSource(entry.source)) ? 'ppoppoAuth' : 'auth'
  const parts = { project, entry, style, file, local }
  const place = project.hasCookieSession
    ? COOKIE_SESSION
    : findPlace({ source: entry.source, hasSession: project.hasSession })
  const importText = importLine(parts)
  const base = { file, text: moduleText(parts), importText }
  if (typeof place === 'string') {
    return { ...base, useText: `app.use(${local})${style.end}`, manual: `${place}. ${whereTo(project)}` }
  }
  const useText = `${place.app}.use(${local})${style.end}`
  return {
    ...base,
    useText,
    entry: toChange({ ...entry, before: entry.source, insertions: insertionsAt(place, importText, useText) }),
  }
}

const COOKIE_SESSION =
  'the app uses cookie-session, whose session the library cannot use: it needs one that can be regenerated, such as express-session'

function whereTo({ hasSession }: Project): string {
  const after = hasSession ? 'after your session and passport.session(), and ' : ''
  return `Put them ${after}before your routes, and before a check of CSRF tokens`
}

function insertionsAt(place: Place, importText: string, useText: string): readonly Insertion[] {
  return [
    { at: place.importLine, lines: [importText] },
    { at: place.useLine, lines: [`${place.indent}${useText}`] },
  ]
}

interface TextParts {
  readonly project: Project
  readonly entry: Entry
  readonly style: Style
  readonly file: string
  readonly local: string
}

/** `auth`, beside the entry and with its extension; another name where that is taken. */
function nameModule({ file }: Entry, exists: (file: string) => boolean): string {
  const names = ['auth', 'ppoppo-auth', 'ppoppo-sign-in'].map((name) =>
    posix.join(posix.dirname(file), `${name}${posix.extname(file)}`),
  )
  return names.find((name) => !exists(name)) ?? posix.join(posix.dirname(file), `ppoppo-auth-2${posix.extname(file)}`)
}

function moduleText({ project, entry, style: { quote, end } }: TextParts): string {
  const from = `${quote}express-ppoppo${quote}`
  const keep = project.hasPassport ? `, keepAnonymous: [${quote}passport${quote}]` : ''
  const options = project.hasSession ? `{ session: false${keep} }` : ''
  const comments = ['// Sign in with Ppoppo. The rest of its settings comes from the environment: see .env.']
  if (project.hasSession) comments.push("// It uses the app's own session, which is mounted before it.")
  if (project.hasSession && project.hasPassport) comments.push('// A Passport login survives a Ppoppo sign-in.')
  const lines =
    entry.style === 'import'
      ? [`import { ppoppo } from ${from}${end}`, '', ...comments, `export const auth = ppoppo(${options})${end}`]
      : [
          `const { ppoppo } = require(${from})${end}`,
          '',
          ...comments,
          `const auth = ppoppo(${options})${end}`,
          '',
          `module.exports = { auth }${end}`,
        ]
  return `${lines.join('\n')}\n`
}

function importLine({ project, entry, style: { quote, end }, file, local }: TextParts): string {
  const path = `${quote}./${posix.basename(file, posix.extname(file))}${extensionIn(project, entry)}${quote}`
  if (entry.style === 'import') return `import { ${local === 'auth' ? local : `auth as ${local}`} } from ${path}${end}`
  return `const { ${local === 'auth' ? local : `auth: ${local}`} } = require(${path})${end}`
}

/** As the entry's other imports have it; otherwise what Node needs: an extension for `import`, `.js` for `.ts`. */
function extensionIn({ isModule }: Project, { file, source, style }: Entry): string {
  const own = posix.extname(file)
  const built = own.replace('ts', 'js')
  const other = /(?:from\s*|require\(\s*)['"]\.{1,2}\/[^'"]*?(\.[mc]?[jt]s)?['"]/.exec(source)
  if (other !== null) return other[1] === undefined ? '' : /ts$/.test(other[1]) ? own : built
  const isCompiledToCommonJs = /\.c?ts$/.test(own) && (own === '.cts' || !isModule)
  return (style === 'require' && own === '.js') || (isCompiledToCommonJs && own !== '.cts') ? '' : built
}

/** Quotes and semicolons as most lines of the file have them. */
function styleOf(source: string): Style {
  const count = (pattern: RegExp): number => source.match(pattern)?.length ?? 0
  const quote = count(/"/g) > count(/'/g) ? '"' : "'"
  const lines = source.split('\n').map((line) => line.trimEnd())
  const statements = lines.filter((line) => /from ?['"]|require\(|\);?$/.test(line))
  const ended = statements.filter((line) => line.endsWith(';')).length
  return { quote, end: ended * 2 >= statements.length && ended > 0 ? ';' : '' }
}
