/** `npm run sandbox [-- arguments]`: builds the sandbox and starts it alone; `-- --help` lists its arguments. */
import { join } from 'node:path'
import { build, ROOT } from './lib/build.mjs'
import { exitCodeOf, runToEnd, start } from './lib/processes.mjs'

await runToEnd(async () => {
  if (!(await build({ only: ['sandbox'] }))) return 1
  return exitCodeOf(start(process.execPath, [join(ROOT, 'sandbox/dist/cli.js'), ...process.argv.slice(2)]))
})
