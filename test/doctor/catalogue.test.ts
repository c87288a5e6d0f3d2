import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from '@jest/globals'
import { FINDING_CODES, type FindingArea } from '../../src/doctor/catalogue.js'

const DOCS = fileURLToPath(new URL('../../docs/', import.meta.url))
const AREAS = Object.values(FINDING_CODES)
const isSkipped = (code: string): boolean => code.endsWith('_not_checked')

/** Code and level of each finding that says what to do. */
const FAULTS = AREAS.flatMap(({ warn, error }) => [
  ...warn.filter((code) => !isSkipped(code)).map((code) => [code, 'warn'] as const),
  ...error.map((code) => [code, 'error'] as const),
])

describe('the codes of the doctor', () => {
  test('each fault has a page that says what it means and what to do, and there is no other page', () => {
    const pages = readdirSync(`${DOCS}doctor`).map((file) => file.replace(/[.]md$/, ''))
    expect(pages.sort()).toEqual(FAULTS.map(([code]) => code).sort())
    for (const [code, level] of FAULTS) {
      const page = readFileSync(`${DOCS}doctor/${code}.md`, 'utf8')
      expect(page.startsWith(`# \`${code}\`\n`)).toBe(true)
      expect(page).toContain(`level \`${level}\``)
      for (const heading of ['## What it means', '## What to do'])
        expect(page).toMatch(new RegExp(`${heading}\n\n.{10}`))
    }
  })

  test('the tables of docs/doctor.md name each code once, with its level', () => {
    const text = readFileSync(`${DOCS}doctor.md`, 'utf8')
    const rows = [...text.matchAll(/^\| \[?`(\w+)`(?:\]\(doctor\/\w+[.]md\))? \|(?: (warn|error) \|)?/gm)]
    const found = rows.map(([, code, level]) => [code, level] as const)
    expect(found.filter(([, level]) => level !== undefined).sort()).toEqual([...FAULTS].sort())
    const others = AREAS.flatMap(({ ok, warn }) => [...ok, ...warn.filter(isSkipped)])
    expect(found.flatMap(([code, level]) => (level === undefined ? [code] : [])).sort()).toEqual(others.sort())
  })

  test('no code is in two areas or at two levels', () => {
    const all = (Object.keys(FINDING_CODES) as FindingArea[]).flatMap((area) =>
      Object.values(FINDING_CODES[area]).flat(),
    )
    expect(new Set(all).size).toBe(all.length)
  })
})
