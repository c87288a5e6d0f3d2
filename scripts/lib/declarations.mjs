import { copyFileSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'

/** What `package.json` names as types, but for the preset of Jest, whose types the bundle brings. */
const ENTRIES = ['index', 'messaging/index', 'testing/index', 'campaigns/index', 'observability/otel', 'browser/react']
const IMPORT = /\b(?:from|import)\s*\(?\s*['"]([.][^'"]+)[.]js['"]/g

/**
 * Copies the declarations that people's imports can reach: of 400 files some 50. Removes what an earlier build left.
 * @param {string} from
 * @param {string} to
 */
export function copyDeclarations(from, to) {
  for (const file of readdirSync(to, { recursive: true, encoding: 'utf8' })) {
    if (file.endsWith('.d.ts')) rmSync(join(to, file))
  }
  /** @type {Set<string>} */
  const seen = new Set()
  /** @param {string} file */
  const visit = (file) => {
    if (seen.has(file)) return
    seen.add(file)
    const source = join(from, `${file}.d.ts`)
    const target = join(to, `${file}.d.ts`)
    mkdirSync(dirname(target), { recursive: true })
    copyFileSync(source, target)
    for (const [, path = ''] of readFileSync(source, 'utf8').matchAll(IMPORT)) visit(join(dirname(file), path))
  }
  for (const entry of ENTRIES) visit(entry)
}
