import nodeModule from 'node:module'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { PpoppoError } from '../../errors.js'

/** The part of `ppoppo-sandbox/cli` that is used here. The package is not a dependency: it is for development only. */
interface SandboxCli {
  runCommandLine(args: readonly string[]): Promise<number>
}

const ENTRY = 'ppoppo-sandbox/cli'

/**
 * `express-ppoppo sandbox`: the same as `ppoppo-sandbox`, with the same arguments.
 *
 * @returns exit code, once the sandbox has stopped
 * @throws PpoppoError `config_invalid` if ppoppo-sandbox is not installed
 */
export async function sandbox(args: readonly string[], from: string = process.cwd()): Promise<number> {
  const cli: SandboxCli = await import(pathToFileURL(findSandbox(from)).href)
  return cli.runCommandLine(args)
}

/** Resolved from the current project, otherwise from this package. */
function findSandbox(from: string): string {
  for (const base of [join(from, 'index.js'), import.meta.url]) {
    try {
      return nodeModule.createRequire(base).resolve(ENTRY)
    } catch {
      // The next one, or the error below.
    }
  }
  throw new PpoppoError(
    'config_invalid',
    'The package ppoppo-sandbox is not installed. Install it with "npm install --save-dev ppoppo-sandbox", or run it once with "npx ppoppo-sandbox".',
  )
}
