import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, test } from '@jest/globals'
import { PROBLEM_CODES } from '../../src/http/problem.js'
import { ERROR_CATALOGUE, PpoppoError, type PpoppoErrorCode } from '../../src/index.js'
import { docsUrl } from '../../src/lib/docs-url.js'

const ROOT = new URL('../../', import.meta.url)
const read = (path: string): string => readFileSync(new URL(path, ROOT), 'utf8')
const pagesIn = (folder: string): readonly string[] =>
  readdirSync(new URL(folder, ROOT))
    .filter((name) => name !== 'README.md')
    .map((name) => name.replace(/[.]md$/, ''))
    .sort()
const sectionsOf = (page: string): readonly string[] => [...page.matchAll(/^## (.*)$/gm)].map(([, title = '']) => title)

const CODES = Object.keys(ERROR_CATALOGUE) as PpoppoErrorCode[]
/** A type alone: its members are read from the source. */
const REASONS = [
  ...(/export type RefusalReason =([\s\S]*?)\n\n/.exec(read('src/audit-events.ts'))?.[1] ?? '').matchAll(/\| '(\w+)'/g),
].map(([, reason = '']) => reason)
const SECTIONS = ['Why it happens', 'What to do', 'Example']

describe('docs/errors/', () => {
  test('every code of an error or a problem has its page, and every page a code', () => {
    expect(pagesIn('docs/errors/')).toEqual([...CODES, ...PROBLEM_CODES].sort())
  })

  test.each(CODES)('%s: the page says what the catalogue says, why, and what to do', (code) => {
    const { meaning, status, retryable } = ERROR_CATALOGUE[code]
    const page = read(`docs/errors/${code}.md`)
    const retry = retryable ? 'A retry may succeed.' : 'A retry alone does not help.'
    expect(page.startsWith(`# \`${code}\`\n\n${meaning}\n\nStatus ${status}. ${retry}\n\n`)).toBe(true)
    expect(sectionsOf(page)).toEqual(SECTIONS)
  })

  test.each(PROBLEM_CODES)('%s: the page says why, and what to do', (code) => {
    const page = read(`docs/errors/${code}.md`)
    expect(page).toMatch(new RegExp(`^# \`${code}\`\n\n.+[.]\n\nStatus 4\\d\\d[.] `))
    expect(sectionsOf(page)).toEqual(SECTIONS)
  })

  test('the list has them all', () => {
    const listed = [...read('docs/errors/README.md').matchAll(/^\| \[`(\w+)`\]\(\1[.]md\) \|/gm)].map(
      ([, code]) => code,
    )
    expect(listed).toEqual([...CODES, ...PROBLEM_CODES])
  })
})

describe('docs/refusals/', () => {
  test('every reason of a refused sign-in has its page and its row, and every page a reason', () => {
    expect(REASONS.length).toBeGreaterThan(10)
    expect(pagesIn('docs/refusals/')).toEqual([...REASONS].sort())
    const rows = [...read('docs/events.md').matchAll(/^\| \[`(\w+)`\]\(refusals\/\1[.]md\) \|/gm)].map(([, row]) => row)
    expect(rows.sort()).toEqual([...REASONS].sort())
  })

  test.each(REASONS)('%s: the page says why, what to do, and what the person sees', (reason) => {
    const page = read(`docs/refusals/${reason}.md`)
    expect(page.startsWith(`# Refused sign-in: \`${reason}\`\n\n`)).toBe(true)
    expect(sectionsOf(page)).toEqual(SECTIONS)
    const title = /\*([^*]+)\*/.exec(page)?.[1] ?? ''
    expect(read('src/pages/texts-en.ts')).toContain(`title: '${title}'`)
  })
})

describe('docsUrl', () => {
  test('is a Package URL that names a file of the package', () => {
    const url = new URL(new PpoppoError('closed', 'closed').docsUrl)
    expect([url.protocol, url.pathname]).toEqual(['pkg:', 'npm/express-ppoppo'])
    expect(read(url.hash.slice(1))).toContain('# `closed`')
    expect(JSON.parse(read('package.json'))).toMatchObject({
      name: 'express-ppoppo',
      files: expect.arrayContaining(['docs']),
    })
  })

  test('has no name of a host: nobody else can answer there', () => {
    expect(new URL(docsUrl('doctor', 'clock')).host).toBe('')
  })
})
