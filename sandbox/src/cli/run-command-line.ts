import { readFileSync } from 'node:fs'
import { errorCodeOf } from '../lib/error-code.js'
import { isJsonObject } from '../lib/json.js'
import { type Sandbox, startSandbox } from '../start-sandbox.js'
import { openInBrowser } from './open-in-browser.js'
import { type Command, parseCommandLine } from './options.js'
import { bannerFor, HELP } from './texts.js'
import { UsageError } from './usage-error.js'

/**
 * Runs a command line until the sandbox has stopped.
 * @returns exit code: 0; 2 for wrong input, 1 for a sandbox that could not start
 * @example process.exitCode = await runCommandLine(['--pas-port', '0'])
 */
export async function runCommandLine(args: readonly string[]): Promise<number> {
  try {
    await run(parseCommandLine(args))
    return 0
  } catch (error) {
    // Options that only the sandbox itself can judge (e.g. a person's key) arrive as TypeErrors.
    const isUsage = error instanceof UsageError || error instanceof TypeError
    process.stderr.write(`ppoppo-sandbox: ${messageOf(error, flagValue('--pas-port', args) ?? '3100')}\n`)
    return isUsage ? 2 : 1
  }
}

async function run(command: Command): Promise<void> {
  if (command.kind === 'help') process.stdout.write(HELP)
  else if (command.kind === 'version') process.stdout.write(`${readVersion()}\n`)
  else {
    const sandbox = await startSandbox(command.options)
    try {
      for (const fault of command.faults) sandbox.control.inject(fault)
      for (const fault of command.pcsFaults) sandbox.control.pcs.inject(fault)
      if (command.seed !== undefined) await sandbox.seed(command.seed)
    } catch (error) {
      await sandbox.close()
      throw error
    }
    const stopped = untilSignal(sandbox)
    process.stdout.write(bannerFor(sandbox))
    if (command.opensInbox) openInBrowser(sandbox.inboxUrl ?? sandbox.url)
    await stopped
  }
}

/** The first signal closes cleanly and the process ends by itself; a second one ends it at once, as usual. */
function untilSignal(sandbox: Sandbox): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = (): void => {
      process.off('SIGINT', stop)
      process.off('SIGTERM', stop)
      sandbox.close().then(resolve, reject)
    }
    process.on('SIGINT', stop)
    process.on('SIGTERM', stop)
  })
}

function readVersion(): string {
  const manifest: { version?: unknown } = JSON.parse(
    readFileSync(new URL('../../package.json', import.meta.url), 'utf8'),
  )
  return String(manifest.version)
}

function flagValue(flag: string, args: readonly string[]): string | undefined {
  const given = args.find((arg, index) => args[index - 1] === flag || arg.startsWith(`${flag}=`))
  return given?.replace(`${flag}=`, '')
}

function messageOf(error: unknown, pasPort: string): string {
  const code = errorCodeOf(error)
  const port = isJsonObject(error) ? String(error['port']) : ''
  const flag = port === pasPort ? '--pas-port' : '--pcs-port'
  if (code === 'EADDRINUSE') return `port ${port} is in use; stop what runs there, or choose another with ${flag}`
  if (code === 'EACCES') return `port ${port} is not allowed for you; choose one above 1023 with ${flag}`
  if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND') return 'this machine has no such address; check --host'
  return error instanceof Error ? error.message : String(error)
}
