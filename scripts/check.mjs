/** `npm run check`: all that can be said about the repository without running its tests, as a checklist. */
import { setTimeout as sleep } from 'node:timers/promises'
import { checkContents } from './check/contents.mjs'
import { checkDependencyReasons } from './check/dependency-reasons.mjs'
import { checkDocPrograms } from './check/doc-programs.mjs'
import { checkDocumented } from './check/documented.mjs'
import { checkExampleCopy } from './check/example-copy.mjs'
import { checkImports } from './check/imports.mjs'
import { checkGitInstall, checkInstall } from './check/install.mjs'
import { checkLinks } from './check/links.mjs'
import { checkLockfile } from './check/lockfile.mjs'
import { checkNamedFiles } from './check/named-files.mjs'
import { pack } from './check/pack.mjs'
import { checkPublint } from './check/publint.mjs'
import { checkRules } from './check/rules.mjs'
import { capture, runBin } from './check/run.mjs'
import { checkWeight } from './check/weight.mjs'
import { build } from './lib/build.mjs'
import { runToEnd } from './lib/processes.mjs'

/** @typedef {import('./check/run.mjs').Outcome} Outcome */

/** @type {readonly (readonly [string, () => Promise<Outcome> | Outcome])[]} */
const STEPS = [
  ['builds: library, sandbox, example app', async () => ({ ok: await build({ checksTypes: true }), output: '' })],
  ['types: tests and type tests', () => runBin('tsc', ['-p', 'tsconfig.json'])],
  ['types: a registered account', () => runBin('tsc', ['-p', 'test/types/registered'])],
  ['types: scripts', () => runBin('tsc', ['-p', 'tsconfig.scripts.json'])],
  ['lint and format', () => runBin('biome', ['ci', '--error-on-warnings', '--colors=off', '.'])],
  ['imports: one direction, no circles', checkImports],
  ['nothing unused: files, exports, dependencies', () => runBin('knip', ['--no-progress'])],
  ['house rules', checkRules],
  ['documented: public names and members', checkDocumented],
  ['lockfile: complete, no registry in it', checkLockfile],
  ['links in Markdown', checkLinks],
  ['files that Markdown names', checkNamedFiles],
  ['programs in Markdown and examples', checkDocPrograms],
  ['every dependency has its reason', checkDependencyReasons],
  ['package: what is in it', async () => checkContents(await pack())],
  ['package: size, and number of packages', async () => checkWeight(await pack())],
  ['package: publint', async () => checkPublint(await pack())],
  [
    'package: types resolve (attw)',
    async () => runBin('attw', [(await pack()).file, '--profile', 'esm-only', '--no-emoji']),
  ],
  ['package: in an empty project, Express 5', async () => checkInstall(await pack(), 5)],
  ['package: in an empty project, Express 4', async () => checkInstall(await pack(), 4)],
  ['example app: copied, it builds and starts', async () => checkExampleCopy(await pack())],
  ['package: as a git dependency', checkGitInstall],
]

await runToEnd(async () => {
  const asked = process.argv.slice(2)
  const steps = STEPS.filter(([name]) => asked.length === 0 || asked.some((word) => name.includes(word)))
  let failures = 0
  for (const [name, step] of steps) {
    const startedAt = performance.now()
    const { ok, output } = await capture(step)
    const seconds = ((performance.now() - startedAt) / 1_000).toFixed(1)
    console.log(`${ok ? 'ok    ' : 'FAILED'}  ${name.padEnd(46)} ${seconds.padStart(5)} s`)
    if (!ok) {
      failures += 1
      console.log(output.trimEnd().replace(/^/gm, '        '))
    }
    await sleep(0)
  }
  console.log(failures === 0 ? `${steps.length} checks, all ok` : `${failures} of ${steps.length} checks failed`)
  return failures === 0 ? 0 : 1
})
