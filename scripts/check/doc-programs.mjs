import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { ROOT } from '../lib/build.mjs'
import { whenEnding } from '../lib/processes.mjs'
import { listFiles, readText } from './repository.mjs'
import { runBin } from './run.mjs'

/** The programs of a document: its blocks marked `ts`. @param {string} text */
export function programsOf(text) {
  return [...text.matchAll(/^```ts\n([\s\S]*?)^```$/gm)].map(([, program = '']) => program)
}

/** Every program in `docs/` compiles as somebody who copies it would compile it, against what was built. */
export async function checkDocPrograms() {
  const folder = mkdtempSync(join(ROOT, 'build-docs-'))
  whenEnding(() => rmSync(folder, { recursive: true, force: true }))
  const names = listFiles().filter((name) => name.startsWith('docs/') && name.endsWith('.md'))
  for (const name of names) {
    const stem = name.replace(/^docs\/|[.]md$/g, '').replaceAll('/', '-')
    for (const [index, program] of programsOf(readText(name)).entries())
      writeFileSync(join(folder, `${stem}-${index + 1}.ts`), `${program}\nexport {}\n`)
  }
  symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'))
  const options = { extends: '../tsconfig.base.json', include: ['.'] }
  const compilerOptions = { noEmit: true, lib: ['ES2023', 'DOM'] }
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ ...options, compilerOptions }))
  return runBin('tsc', ['-p', folder])
}
