import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { transform } from 'esbuild'
import { ROOT } from '../lib/build.mjs'
import { whenEnding } from '../lib/processes.mjs'
import { listFiles, readText } from './repository.mjs'
import { outcomeOf, runBin } from './run.mjs'

/**
 * What programs outside of `docs/` may use without saying what it is: the names of an app around them, and of a test runner. What
 * a program declares itself comes first.
 * @type {Readonly<Record<string, string>>}
 */
const GIVEN = {
  app: "const app: import('express').Express",
  auth: "const auth: import('express-ppoppo').Ppoppo",
  users:
    'const users: { findOrCreate(keys: { ppnumId: string; ppnum: string }): Promise<{ id: number; banned: boolean }> }',
  placeOrder: 'function placeOrder(body: unknown): Promise<{ id: number; number: string }>',
  save: 'function save(...columns: readonly unknown[]): Promise<void>',
  authorizationUrl: 'const authorizationUrl: string',
  test: "const test: typeof import('@jest/globals').test",
  beforeEach: "const beforeEach: typeof import('@jest/globals').beforeEach",
  afterAll: "const afterAll: typeof import('@jest/globals').afterAll",
}

/** The blocks of a document in one language; in a list they are indented. @param {string} text @param {string} language */
function blocksOf(text, language) {
  const blocks = text.matchAll(new RegExp(`^( *)\`\`\`${language}\\n([\\s\\S]*?)^\\1\`\`\`$`, 'gm'))
  return [...blocks].map(([, , program = '']) => program)
}

/** The programs of a document: its blocks marked `ts`. @param {string} text */
export function programsOf(text) {
  return blocksOf(text, 'ts')
}

/** A program, with what it takes for granted. @param {string} program */
export function withGivenNames(program) {
  const declares = (/** @type {string} */ name) => new RegExp(`\\b(const|let|function) ${name}\\b`).test(program)
  const uses = (/** @type {string} */ name) => new RegExp(`(?<![.\\w'"/-])${name}\\b`).test(program)
  const given = Object.entries(GIVEN).filter(([name]) => uses(name) && !declares(name))
  return [...given.map(([, declaration]) => `declare ${declaration}`), program].join('\n')
}

/**
 * The programs in Markdown compile as somebody who copies one would compile it, against what was built; JavaScript there, and
 * the examples, can be read. The examples also run, in their tests.
 */
export async function checkDocPrograms() {
  const documents = listFiles().filter((name) => name.endsWith('.md'))
  const unreadable = outcomeOf(await syntaxFaultsOf(scriptsIn(documents)))
  const compiled = await compile(documents)
  return {
    ok: unreadable.ok && compiled.ok,
    output: [unreadable.output, compiled.output].filter((text) => text !== '').join('\n'),
  }
}

/** @param {readonly string[]} documents */
async function compile(documents) {
  const folder = mkdtempSync(join(ROOT, 'build-docs-'))
  whenEnding(() => rmSync(folder, { recursive: true, force: true }))
  for (const name of documents) {
    const stem = name.replace(/[.]md$/, '').replaceAll('/', '-')
    for (const [index, program] of programsOf(readText(name)).entries()) {
      const whole = name.startsWith('docs/') ? program : withGivenNames(program)
      writeFileSync(join(folder, `${stem}-${index + 1}.ts`), `${whole}\nexport {}\n`)
    }
  }
  symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'))
  const options = { extends: '../tsconfig.base.json', include: ['.'] }
  const compilerOptions = { noEmit: true, lib: ['ES2023', 'DOM'] }
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ ...options, compilerOptions }))
  return runBin('tsc', ['-p', folder])
}

/**
 * @typedef {object} Script
 * @property {string} name for messages
 * @property {'js' | 'jsx' | 'ts'} language
 * @property {string} text
 */

/** @param {readonly string[]} documents @returns {Script[]} */
function scriptsIn(documents) {
  const files = listFiles().filter((name) => /^examples\/.*[.](js|jsx|ts)$/.test(name))
  // Marked `ts` they are compiled as well; what imports packages that are not installed here is marked `typescript`.
  const languages = /** @type {const} */ ({ js: 'js', jsx: 'jsx', typescript: 'ts' })
  return [
    ...files.map((name) => ({ name, language: languageOf(name), text: readText(name) })),
    ...documents.flatMap((name) =>
      Object.entries(languages).flatMap(([marked, language]) =>
        blocksOf(readText(name), marked).map((text, index) => ({
          name: `${name}, ${marked} block ${index + 1}`,
          language,
          text,
        })),
      ),
    ),
  ]
}

/** @param {string} name @returns {Script['language']} */
function languageOf(name) {
  return name.endsWith('.ts') ? 'ts' : name.endsWith('.jsx') ? 'jsx' : 'js'
}

/** What keeps a script from being read. @param {readonly Script[]} scripts */
export async function syntaxFaultsOf(scripts) {
  const faults = scripts.map(({ name, language, text }) =>
    transform(text, {
      loader: language,
      sourcefile: name,
      tsconfigRaw: { compilerOptions: { experimentalDecorators: true } },
    }).then(
      () => [],
      (error) => [String(error.message)],
    ),
  )
  return (await Promise.all(faults)).flat()
}
