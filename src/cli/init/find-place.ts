import { findMadeApps } from './made-apps.js'
import { maskSource } from './mask-source.js'

/** Where the two lines go in the entry. Lines are counted from 0: a line is inserted before the one of that number. */
export interface Place {
  /** Name of the Express app in the file. */
  readonly app: string
  readonly importLine: number
  readonly useLine: number
  /** White space in front of `app.use(...)`. */
  readonly indent: string
}

/** What the app has that decides where the line goes. */
export interface PlaceParts {
  readonly source: string
  /** Whether the app has a session of its own, which must come before. */
  readonly hasSession: boolean
}

/** Middleware that comes before a session, or does not mind: it may stand before or after `auth`. */
const EARLY =
  /^(helmet|cors|compression|morgan|logger|pinoHttp|pino|express\s*\.\s*(json|urlencoded|static|text|raw)|bodyParser\s*\.\s*\w+|cookieParser|methodOverride|favicon|serveFavicon|flash|responseTime|requestId)\s*\(/
const PASSPORT = /^passport\s*\.\s*(initialize|session|authenticate)\s*\(/
/** Of the app itself: settings. */
const SETTING = /^(set|enable|disable|engine)$/

interface Statement {
  readonly kind: 'early' | 'session' | 'other'
  /** Behind its closing parenthesis. */
  readonly end: number
}

/** Finds where the two lines go. @returns or why that is not certain, as the rest of a sentence */
export function findPlace({ source, hasSession }: PlaceParts): Place | string {
  const masked = maskSource(source)
  const depths = depthsOf(masked)
  if (depths === undefined) return 'its brackets could not be matched'
  const [declared, second] = findMadeApps(source, masked)
  if (declared === undefined) return 'no "app = express()" or "app = await NestFactory.create(...)" was found in it'
  if (second !== undefined) return 'it creates several Express apps'
  const { name: app, start: madeAt, end: behind } = declared
  const depth = depths[madeAt] ?? 0
  const from = declared.isOpen ? endOfCall(depths, depth, behind) : behind
  if (/^\s*\??\./.test(masked.slice(from))) return 'the app is configured in the expression that creates it'
  if (/^\s*,/.test(masked.slice(from))) return 'the statement that creates the app declares something else, too'
  const scope = { masked, source, depths, depth, app, from }
  const statements = statementsOf(scope)
  const last = statements.map(({ kind }) => kind).lastIndexOf('session')
  if (hasSession && last < 0) return 'the app has a session, but where it is mounted was not found'
  let end = statements[last]?.end ?? from
  for (const statement of statements.slice(last + 1)) {
    if (statement.kind !== 'early') break
    end = statement.end
  }
  const useLine = lineAfter(masked, end)
  const start = startOfLine(masked, useLine)
  if (start === undefined || (depths[start] ?? 0) !== depth) return 'the statements there share a line with others'
  const importLine = lineOfImports(masked, depths, madeAt)
  if (importLine === undefined) return 'no import or require was found above the app'
  return { app, importLine, useLine, indent: indentAt(source, madeAt) }
}

interface Scope {
  readonly masked: string
  readonly source: string
  readonly depths: Int32Array
  readonly depth: number
  readonly app: string
  readonly from: number
}

/** The calls of the app in the block that makes it, in order. */
function statementsOf({ masked, depths, depth, app, from, source }: Scope): readonly Statement[] {
  const calls = new RegExp(`(?<![\\w$.])${app.replace(/[$.]/g, '\\$&')}\\s*\\.\\s*(\\w+)\\s*\\(`, 'g')
  calls.lastIndex = from
  const statements: Statement[] = []
  for (let match = calls.exec(masked); match !== null; match = calls.exec(masked)) {
    if (isBlockOver(depths, depth, from, match.index)) break
    if (depths[match.index] !== depth) continue
    const open = match.index + match[0].length
    const end = endOfCall(depths, depth, open)
    statements.push({ kind: kindOf(match[1] ?? '', masked.slice(open, end), source.slice(open, end)), end })
  }
  return statements
}

function kindOf(method: string, masked: string, source: string): Statement['kind'] {
  if (SETTING.test(method)) return 'early'
  const text = masked.trimStart()
  if (method !== 'use') return 'other'
  if (EARLY.test(text)) return 'early'
  // `app.use(session({ ... }))`, `app.use(sessionMiddleware)`, `app.use(expressSession(...))`.
  const [name = ''] = /^\w*/.exec(text) ?? []
  const isSession = /session/i.test(name) && /^\s*[(,)]/.test(text.slice(name.length))
  if (PASSPORT.test(text) || isSession) return 'session'
  return /^['"]/.test(text) && /express\s*\.\s*static\s*\(/.test(source) ? 'early' : 'other'
}

/** How many brackets are open before each character; `undefined` if they do not match. */
function depthsOf(masked: string): Int32Array | undefined {
  const depths = new Int32Array(masked.length + 1)
  let depth = 0
  for (let at = 0; at < masked.length; at++) {
    depths[at] = depth
    const character = masked.charAt(at)
    if ('([{'.includes(character)) depth++
    if (')]}'.includes(character)) depth--
    if (depth < 0) return undefined
  }
  depths[masked.length] = depth
  return depth === 0 ? depths : undefined
}

function isBlockOver(depths: Int32Array, depth: number, from: number, to: number): boolean {
  return depths.subarray(from, to).some((one) => one < depth)
}

/** Behind the parenthesis that closes the one before `open`. */
function endOfCall(depths: Int32Array, depth: number, open: number): number {
  let at = open
  while (at < depths.length && (depths[at] ?? 0) > depth) at++
  return at
}

/** The first line that begins behind a position. */
function lineAfter(text: string, position: number): number {
  return text.slice(0, position).split('\n').length
}

/** Where a line begins; the end of the text counts as the beginning of one more. */
function startOfLine(text: string, line: number): number | undefined {
  const lines = text.split('\n')
  if (line > lines.length) return undefined
  return lines.slice(0, line).reduce((sum, one) => sum + one.length + 1, 0)
}

/** Behind the last import or require at the top of the file. */
function lineOfImports(masked: string, depths: Int32Array, before: number): number | undefined {
  const ends = [...masked.matchAll(/^\uFEFF?(?:import|const|let|var)\b/gm)]
    .filter(({ index }) => depths[index] === 0 && index < before)
    .flatMap(({ index }) => endOfImport(masked, index) ?? [])
  const end = ends.at(-1)
  return end === undefined ? undefined : lineAfter(masked, end)
}

/** Behind the name of the module, in quotes; `undefined` for a statement that imports nothing. */
function endOfImport(masked: string, start: number): number | undefined {
  const length = masked.slice(start).search(/['"]/)
  if (length < 0) return undefined
  const head = masked.slice(start, start + length)
  const [, value = ''] = head.split('=', 2)
  const isImport = /^\uFEFF?import\b/.test(head) || value.trim() === 'require('
  const quote = start + length
  const end = masked.slice(quote + 1).search(/['"]/) + 1
  return isImport && end > 0 && masked[quote + end] === masked[quote] ? quote + end + 1 : undefined
}

function indentAt(source: string, position: number): string {
  const start = source.lastIndexOf('\n', position - 1) + 1
  return /^[ \t]*/.exec(source.slice(start))?.[0] ?? ''
}
