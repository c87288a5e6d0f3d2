/** `npm run build`: the library, the sandbox and the example app, from nothing. */
import { build, clean } from './lib/build.mjs'
import { runToEnd } from './lib/processes.mjs'

await runToEnd(async () => {
  clean()
  return (await build({ checksTypes: true })) ? 0 : 1
})
