import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from '@jest/globals'

const ROOT = join(import.meta.dirname, '../..')
const FOLDERS = ['test', 'sandbox/test', 'example-app/test']
/** In a text of a test, at its beginning or in parentheses: `C07 ...`, `S10, U8: ...`, `... (A1)`. */
const CODE = /(?<=['"`(]|[CSMAUX]\d\d?(?:, | and ))[CSMAUX]\d\d?(?=[ :,)])/g

const documented = [
  ...readFileSync(join(ROOT, 'docs/requirements.md'), 'utf8').matchAll(/^\| ([CSMAUX]\d\d?) \|/gm),
].map(([, code = '']) => code)

const tested = new Set(
  FOLDERS.flatMap((folder) =>
    readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
      .filter((name) => /[.](ts|mjs)$/.test(name))
      .flatMap((name) => readFileSync(join(ROOT, folder, name), 'utf8').match(CODE) ?? []),
  ),
)

test('every requirement that a test names is in docs/requirements.md, once, and every one there has a test', () => {
  expect(new Set(documented).size).toBe(documented.length)
  expect(documented.filter((code) => !tested.has(code))).toEqual([])
  expect([...tested].filter((code) => !documented.includes(code))).toEqual([])
})
