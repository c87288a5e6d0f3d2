import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from '@jest/globals'
import ts from 'typescript'

/*
 * Every regular expression in the sources takes time in proportion to the text it looks at, whatever that text is: a
 * server's error of 60,000 letters once blocked the event loop for 19 s. `recheck` decides that by theory of automata,
 * not by a clock.
 */

const ROOT = fileURLToPath(new URL('../../', import.meta.url))
const FOLDERS = ['src', 'sandbox/src', 'example-app/src']

interface Expression {
  /** Where it is, for the name of a failure. */
  readonly place: string
  readonly source: string
  readonly flags: string
}

/** All of a file: literals, and `new RegExp` of a text, whose `${...}` count as a name. */
function expressionsIn(file: string, text: string): readonly Expression[] {
  const found: Expression[] = []
  const parsed = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true)
  const add = (node: ts.Node, source: string, flags: string): void => {
    const { line } = parsed.getLineAndCharacterOfPosition(node.getStart())
    found.push({ place: `${file}:${line + 1} /${source}/${flags}`, source, flags })
  }
  const visit = (node: ts.Node): void => {
    if (ts.isRegularExpressionLiteral(node)) {
      const end = node.text.lastIndexOf('/')
      add(node, node.text.slice(1, end), node.text.slice(end + 1))
    }
    if ((ts.isNewExpression(node) || ts.isCallExpression(node)) && node.expression.getText() === 'RegExp') {
      const [source, flags] = node.arguments ?? []
      add(node, textOf(source, file), flags === undefined ? '' : textOf(flags, file))
    }
    ts.forEachChild(node, visit)
  }
  visit(parsed)
  return found
}

function textOf(node: ts.Node | undefined, file: string): string {
  if (node && ts.isStringLiteralLike(node)) return node.text
  if (node && ts.isTemplateExpression(node)) {
    return node.head.text + node.templateSpans.map(({ literal }) => `name${literal.text}`).join('')
  }
  throw new Error(`${file}: a RegExp that is made of something else than a text cannot be checked: ${node?.getText()}`)
}

const all = FOLDERS.flatMap((folder) =>
  readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .filter((file) => /\.(?:ts|js|mjs)$/.test(file))
    .flatMap((file) => expressionsIn(join(folder, file), readFileSync(join(ROOT, folder, file), 'utf8'))),
)

/** Of each `safe`, or how its time grows. */
function growthOf(expressions: readonly Pick<Expression, 'source' | 'flags'>[]): readonly string[] {
  const script = fileURLToPath(new URL('growth-script.mjs', import.meta.url))
  const { stdout, stderr } = spawnSync(process.execPath, [script], {
    input: JSON.stringify(expressions),
    encoding: 'utf8',
    timeout: 1_150_000,
  })
  if (stdout === '') throw new Error(stderr || 'the checker did not end in time')
  return JSON.parse(stdout) as readonly string[]
}

describe('no text can make a regular expression of ours slow', () => {
  test('all of them are found', () => {
    expect(all.length).toBeGreaterThan(150)
    expect(expressionsIn('a.ts', 'f(/a/u, new RegExp(`^$' + '{g}x`, "i"))').map(({ place }) => place)).toEqual([
      'a.ts:1 /a/u',
      'a.ts:1 /^namex/i',
    ])
  })

  test('those that it could are noticed', () => {
    const sources = ['=+$', String.raw`[\w-]{8,}\.[\w-]{8,}\.[\w-]*`, '^(a+)+$', '^a+$']
    expect(growthOf(sources.map((source) => ({ source, flags: '' })))).toEqual([
      '2nd degree polynomial',
      '2nd degree polynomial',
      'exponential',
      'safe',
    ])
  })

  test('each takes time in proportion to the text', () => {
    const told = growthOf(all).map((growth, index) => `${all[index]?.place}: ${growth}`)
    expect(told).toHaveLength(all.length)
    expect(told.filter((line) => !line.endsWith(': safe'))).toEqual([])
  }, 1_200_000)
})
