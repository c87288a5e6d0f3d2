import { homedir } from 'node:os'
import { describe, expect, test } from '@jest/globals'
import { anchorsOf, linksOf } from '../../scripts/check/links.mjs'
import { faultsOf as lockfileFaults, unreviewedScripts } from '../../scripts/check/lockfile.mjs'
import { pathsOf } from '../../scripts/check/named-files.mjs'
import { faultsOf } from '../../scripts/check/rules.mjs'
import { toLine } from '../../scripts/lib/counts-reporter.mjs'

describe('house rules', () => {
  test.each([
    ['src/a.ts', '// @ts-ignore\n'],
    ['scripts/a.mjs', '// @ts-nocheck\n'],
    ['src/a.ts', '// @ts-expect-error\n'],
    ['test/a.test.ts', 'test.only("x", () => {})\n'],
    ['sandbox/test/a.test.ts', 'describe.skip("x", () => {})\n'],
    ['test/a.test.ts', 'xit("x", () => {})\n'],
    ['README.md', 'see /home/somebody/project\n'],
    ['README.md', `see ${homedir()}/project\n`],
    ['src/a.ts', 'x\n'.repeat(251)],
    ['test/a.test.ts', 'await new Promise((resolve) => setTimeout(resolve, 50))\n'],
    ['sandbox/test/pcs/a.test.ts', 'await sleep(50)\n'],
    ['example-app/test/a.test.ts', "import { setTimeout } from 'node:timers/promises'\n"],
    ['src/a.ts', '// As promised (C07).\n'],
    ['docs/a.md', 'It is signed anew.\n'],
    ['src/a.ts', 'export function createA<T>(b: () => Map<T, B>, c: C): A {}\n'],
    ['sandbox/src/a.ts', 'function createA(\n  { b, c }: BParts,\n  now = 0,\n): A {}\n'],
  ])('%s: %j is a fault', (name, text) => expect(faultsOf(name, text)).toHaveLength(1))

  test.each([
    ['test/types/options.ts', '// @ts-expect-error\n'],
    ['src/a.ts', 'x\n'.repeat(250)],
    ['test/a.test.ts', 'const only = test\n'],
    ['src/a.ts', 'export function createA(\n  parts: Pick<AParts, "b" | "c">,\n): (b: B, c: C) => A {}\n'],
    ['src/a.ts', 'function createA({ b, c = [1, 2] }: AParts): Map<B, C> {}\n'],
    ['README.md', 'https://example.com/home/somebody/page\n'],
    ['test/support/until.ts', 'setTimeout(resolve, 5)\n'],
    ['test/a.test.ts', 'setTimeout(() => reject(new Error()), 5_000)\n'],
    ['test/a.test.ts', "test('a sign-in is new (C07)', () => {})\n"],
  ])('%s: %j is none', (name, text) => expect(faultsOf(name, text)).toEqual([]))
})

describe('lockfile', () => {
  const locked = { 'node_modules/a': { version: '1.0.0', optionalDependencies: { 'a-linux': '1.0.0' } } }

  test('a missing binary of another platform is found: npm ci would refuse it', () => {
    expect(lockfileFaults(locked)).toHaveLength(1)
    expect(lockfileFaults({ ...locked, 'node_modules/a-linux': { version: '1.0.0' } })).toEqual([])
    expect(lockfileFaults({ ...locked, 'node_modules/a/node_modules/a-linux': { version: '1.0.0' } })).toEqual([])
  })

  test('a download address is found; a link to a workspace is none', () => {
    expect(lockfileFaults({ 'node_modules/a': { resolved: 'https://registry.example/a.tgz' } })).toHaveLength(1)
    expect(lockfileFaults({ 'node_modules/a': { resolved: 'sandbox', link: true } })).toEqual([])
  })

  test('an install script that nobody has decided on is found: npm would warn at every install', () => {
    const packages = { 'node_modules/@a/b': { hasInstallScript: true }, 'node_modules/c': {} }
    expect(unreviewedScripts(packages, {})).toHaveLength(1)
    expect(unreviewedScripts(packages, { '@a/b': false })).toEqual([])
  })
})

test('links into the repository are found, those out of it and those in code are not', () => {
  const text = '[a](b.md#c "title") [w](https://x.example) `[no](no.md)` [d](#e)\n```\n[no](no.md)\n```\n![p](<p.png>)'
  expect(linksOf(text)).toEqual(['b.md#c', '#e', 'p.png'])
})

test('paths that prose names are found; patterns, addresses, builds and code blocks are not', () => {
  const text =
    '`src/a.ts` and `run test/b.test.ts` in `docs/` not `src/*.ts` `https://x.example/src/c.ts` `dist/d.js` `sandbox/dist/e.js` src/f.ts\n```\nsrc/no.ts\n```\n'
  expect(pathsOf(text)).toEqual(['src/a.ts', 'test/b.test.ts', 'docs/'])
})

test('anchors are made as GitHub makes them', () => {
  expect(anchorsOf('# Add it: `app.use`\n## 한국어 & more\n```\n# no\n```')).toEqual(['add-it-appuse', '한국어--more'])
})

test('a test file that cannot be run counts as failed', () => {
  const totals = {
    numPassedTests: 3,
    numFailedTests: 1,
    numPendingTests: 2,
    numTodoTests: 1,
    numRuntimeErrorTestSuites: 1,
  }
  expect(toLine(totals)).toBe('3 passed, 2 failed, 3 skipped')
})
