/**
 * `node scripts/client-script.mjs`: writes what `/auth/client.js` serves, from `src/browser/client.ts`, which the hook of
 * `express-ppoppo/react` uses as well. To be run after a change there; a test compares the two.
 */
import { writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

const SOURCE = fileURLToPath(new URL('../src/browser/client.ts', import.meta.url))
const TARGET = fileURLToPath(new URL('../src/browser/client-script.generated.ts', import.meta.url))
/** The module that is served. `BASE` is replaced by the address of the routes. */
const ENTRY = `import { createSignInClient } from ${JSON.stringify(SOURCE)}
export const { getState, subscribe, refresh, signIn, signOut } = createSignInClient('BASE')`

/** The text of the generated file. */
export async function clientScriptModule() {
  const { outputFiles } = await build({
    stdin: { contents: ENTRY, resolveDir: '.' },
    bundle: true,
    minify: true,
    write: false,
    format: 'esm',
    target: 'es2022',
    charset: 'utf8',
  })
  const text = outputFiles[0]?.text.trim() ?? ''
  if (!text.includes('"BASE"')) throw new Error('the script has no place for the address of the routes')
  return `/** What \`/auth/client.js\` serves. Made by \`node scripts/client-script.mjs\`; a test compares it with client.ts. */
export const CLIENT_SCRIPT =
  // biome-ignore lint/suspicious/noTemplateCurlyInString: the text of a script
  '${text.replace(/[\\']/g, '\\$&')}'
`
}

if (process.argv[1] === fileURLToPath(import.meta.url)) writeFileSync(TARGET, await clientScriptModule())
