import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, test } from '@jest/globals'
import { parse } from 'yaml'
import { countPackages } from '../../scripts/check/weight.mjs'
import { releaseFaults } from '../../scripts/lib/release-faults.mjs'

const ROOT = new URL('../../', import.meta.url)
const read = (path: string): string => readFileSync(new URL(path, ROOT), 'utf8')

const FIT = {
  manifest: {
    version: '1.2.3',
    repository: { type: 'git', url: 'git+https://code.acme.org/express-ppoppo.git' },
    homepage: 'https://code.acme.org/express-ppoppo',
    bugs: 'https://code.acme.org/express-ppoppo/issues',
  },
  changelog: '# Changelog\n\n## 1.2.3 (2026-12-01)\n\n- New.\n\n## 1.2.2\n',
  tag: 'v1.2.3',
  tags: ['v1.2.3'],
  changedFiles: [],
}

describe('npm run release', () => {
  test('publishes what is tagged, committed and described', () => {
    expect(releaseFaults(FIT)).toEqual([])
  })

  test.each([
    ['no repository', { manifest: { ...FIT.manifest, repository: undefined } }, /^"repository" has no public URL/],
    ['a made-up host', { manifest: { ...FIT.manifest, homepage: 'https://ppoppo.example' } }, /^"homepage"/],
    ['a path', { manifest: { ...FIT.manifest, bugs: 'file:///tmp/issues' } }, /^"bugs"/],
    ['no tag', { tags: ['v1.2.2'] }, /has no tag v1\.2\.3/],
    ['changed files', { changedFiles: ['src/index.ts'] }, /^not committed: src\/index\.ts/],
    ['no section in the changelog', { changelog: '## 1.2.2\n' }, /no section "## 1\.2\.3"/],
    ['unreleased changes', { changelog: `## Unreleased\n\n${FIT.changelog}` }, /still has a section "## Unreleased"/],
  ])('refuses with %s, and says what to do', (_name, change, fault) => {
    expect(releaseFaults({ ...FIT, ...change })).toEqual([expect.stringMatching(fault)])
  })

  test('both packages are published with provenance', () => {
    for (const folder of ['', 'sandbox/']) {
      const { publishConfig } = JSON.parse(read(`${folder}package.json`))
      expect([folder, publishConfig]).toEqual([folder, { access: 'public', provenance: true }])
    }
  })
})

describe('workflows', () => {
  const files = readdirSync(new URL('.github/workflows/', ROOT))

  test.each(files)('%s: every action is pinned to a commit, and tells which version that is', (file) => {
    const used = read(`.github/workflows/${file}`).match(/^.*\buses:.*$/gm) ?? []
    expect(used.length).toBeGreaterThan(0)
    for (const line of used) expect(line).toMatch(/uses: [\w-]+\/[\w/-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/)
  })

  test.each(files)(
    '%s: rights are read-only but where a job says what for, and no text of a stranger is run',
    (file) => {
      const text = read(`.github/workflows/${file}`)
      expect(['read-all', { contents: 'read' }]).toContainEqual(parse(text).permissions)
      for (const line of text.match(/^.*: write\b.*$/gm) ?? []) expect(line).toMatch(/: write # \w/)
      expect(text).not.toMatch(/run:.*\$\{\{|pull_request_target/)
      expect((text.match(/actions\/checkout@/g) ?? []).length).toBe(
        (text.match(/persist-credentials: false/g) ?? []).length,
      )
    },
  )

  test('the floor of "engines", and the Node of the images, are tested', () => {
    const versions: string[] = parse(read('.github/workflows/ci.yml')).jobs.test.strategy.matrix.node
    expect(`>=${versions[0]}`).toBe(JSON.parse(read('package.json')).engines.node)
    const images = [...read('Dockerfile').matchAll(/^FROM node:(\d+)-/gm)].map(([, major]) => major)
    expect(images).toEqual([images[0], images[0]])
    expect(versions).toContain(images[0])
    expect(Number(images[0])).toBeGreaterThan(20)
  })
})

test('packages are counted once, wherever they lie, and optional ones too', () => {
  const packages = {
    'node_modules/a': { dependencies: { b: '1', c: '1' } },
    'node_modules/b': { dependencies: { c: '2' } },
    'node_modules/b/node_modules/c': {},
    'node_modules/c': { optionalDependencies: { a: '1', gone: '1' } },
    'node_modules/other': {},
  }
  expect([countPackages(packages, ['a']), countPackages(packages, ['b', 'other'])]).toEqual([4, 3])
})
