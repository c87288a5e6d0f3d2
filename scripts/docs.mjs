/**
 * `npm run docs`: builds a site from the Markdown of this repository and the docstrings of the library, into `website/dist/`. A
 * warning or a dead link is a failure. Its tools are installed in `website/` when they are first needed.
 */
import { cpSync, existsSync, mkdirSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { listFiles } from './check/repository.mjs'
import { run } from './check/run.mjs'
import { ROOT } from './lib/build.mjs'
import { runToEnd } from './lib/processes.mjs'

const WEBSITE = join(ROOT, 'website')
const PAGES = join(WEBSITE, '.pages')
/** What is for people who use the library, or change it. Links to anything else lead to nothing on a site. */
const IS_PAGE =
  /^(README|CHANGELOG|CONTRIBUTING|SECURITY|CODE_OF_CONDUCT|AGENTS)[.]md$|^(docs|sandbox|example-app|examples|skills|bench|src)\/.*[.]md$/

await runToEnd(async () => {
  if (!existsSync(join(WEBSITE, 'node_modules')) && !(await step('npm', ['ci', '--ignore-scripts', '--no-audit'])))
    return 1
  rmSync(PAGES, { recursive: true, force: true })
  // With their folders, so that every link between them stays true.
  for (const name of listFiles().filter((name) => IS_PAGE.test(name))) {
    mkdirSync(dirname(join(PAGES, name)), { recursive: true })
    cpSync(join(ROOT, name), join(PAGES, name))
  }
  if (!(await step(join(WEBSITE, 'node_modules/.bin/typedoc'), []))) return 1
  if (!(await step(join(WEBSITE, 'node_modules/.bin/vitepress'), ['build']))) return 1
  console.log('website/dist/ is built')
  return 0
})

/** @param {string} command @param {readonly string[]} args */
async function step(command, args) {
  const { ok, output } = await run(command, args, { cwd: WEBSITE })
  const isWarned = /\bwarn(ing)?\b/i.test(output)
  if (!ok || isWarned) console.log(output)
  return ok && !isWarned
}
