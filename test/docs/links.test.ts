import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from '@jest/globals'
import { build } from 'esbuild'
import webpack from 'webpack'
import { linksOf } from '../../scripts/check/links.mjs'

const ROOT = join(import.meta.dirname, '../..')
const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8')
const { files } = JSON.parse(read('package.json'))
const ALWAYS = ['README.md', 'LICENSE', 'package.json']

/** Whether `npm publish` ships it. */
const isShipped = (path: string): boolean =>
  [...files, ...ALWAYS].some((entry: string) => path === entry || path.startsWith(`${entry}/`))

describe.each(['llms.txt', 'skills/express-ppoppo/SKILL.md'])('%s', (name) => {
  const links = linksOf(read(name)).map((link) => join(name, '..', link))

  test('is in the package', () => {
    expect(isShipped(name)).toBe(true)
  })

  test('leads to files that are there, and in the package', () => {
    expect(links.length).toBeGreaterThan(5)
    expect(links.filter((link) => !existsSync(join(ROOT, link)) || !isShipped(link))).toEqual([])
  })
})

test('llms.txt has the form that readers of it expect, and every page of docs/ for users', () => {
  const text = read('llms.txt')
  expect(text).toMatch(/^# express-ppoppo\n\n> .+\n\n/)
  for (const line of text.split('\n').filter((line) => line.startsWith('- '))) {
    expect(line).toMatch(/^- \[[^\]]+\]\([^)]+\)(: .+)?$/)
  }
  const pages = readdirSync(join(ROOT, 'docs')).filter((page) => page.endsWith('.md'))
  const missing = pages.filter(
    (page) => !['README.md', 'requirements.md'].includes(page) && !text.includes(`(docs/${page})`),
  )
  expect(missing).toEqual([])
})

test('the skill says when to use it, within what readers show of it', () => {
  const [, name, description = ''] =
    /^---\nname: (\S+)\ndescription: (.+)\n---\n/.exec(read('skills/express-ppoppo/SKILL.md')) ?? []
  expect(name).toBe('express-ppoppo')
  expect(description.length).toBeGreaterThan(50)
  expect(description.length).toBeLessThan(1_024)
})

test('AGENTS.md names no tool, and leads to files that are there', () => {
  const links = linksOf(read('AGENTS.md'))
  expect(links.length).toBeGreaterThan(4)
  expect(links.filter((link) => !existsSync(join(ROOT, link)))).toEqual([])
})

test('docs/faq.md quotes messages as the library writes them', () => {
  const sources = readdirSync(join(ROOT, 'src'), { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.ts'))
    .map((path) => read(join('src', path)))
    .join('\n')
    .replaceAll("\\'", "'")
    .replaceAll(/\$\{KEY_BYTES\}/g, '32')
  const quoted = [...read('docs/faq.md').matchAll(/^### `(.+)`$/gm)].map(([, text = '']) => text)
  expect(quoted.length).toBeGreaterThan(12)
  const parts = quoted.flatMap((text) => text.split(/"?[.]{3}"?/).map((part) => part.trim().replace(/^"/, '')))
  expect(parts.filter((part) => !sources.includes(part))).toEqual([])
})

test('docs/faq.md quotes what Node, esbuild and webpack say where React is not installed', async () => {
  const faq = read('docs/faq.md')
  const home = mkdtempSync(join(tmpdir(), 'ppoppo-no-react-'))
  try {
    const entry = join(home, 'react.mjs')
    const [text = ''] = /import \{[^}]*\} from 'react'/.exec(read('src/browser/react.ts')) ?? []
    writeFileSync(entry, text)
    const { stderr } = spawnSync(process.execPath, [entry], { encoding: 'utf8', env: {} })
    expect(stderr).toContain("Cannot find package 'react' imported from")
    expect(faq).toContain("\n### Cannot find package 'react' imported from\n")
    const bundling = await build({ entryPoints: [entry], bundle: true, write: false, logLevel: 'silent' }).catch(String)
    expect(bundling).toContain('Could not resolve "react"')
    expect(faq).toContain('Could not resolve "react"')
    const packing = await new Promise((resolve) =>
      webpack({ entry, output: { path: home } }, (error, stats) => resolve(String(error ?? stats))),
    )
    expect(packing).toContain("Can't resolve 'react'")
    expect(faq).toContain("Can't resolve 'react'")
  } finally {
    rmSync(home, { recursive: true, force: true })
  }
})
