/**
 * What npm runs after it cloned this repository as somebody's git dependency: such an install has no `dist/` yet. In a
 * clone of one's own it saves the first command a build. `npm run build` and `npm pack` always build again.
 */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { build, ROOT } from './lib/build.mjs'
import { runToEnd } from './lib/processes.mjs'

await runToEnd(async () => {
  if (existsSync(join(ROOT, 'dist/index.js'))) return 0
  return (await build({ only: ['library'] })) ? 0 : 1
})
